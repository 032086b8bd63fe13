"""Finding a technique by the name of its file: each file here with a function `terms` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import dse.technique
from dse.errors import InputError
from dse.fields import Table
from dse.technique.terms import TechniqueTerms

NOT_METHODS = ("registry", "terms")


def methods() -> tuple[str, ...]:
    """Names of all methods, sorted."""
    found = (module.name for module in pkgutil.iter_modules(dse.technique.__path__))
    return tuple(sorted(name for name in found if name not in NOT_METHODS))


def technique_terms(raw: Mapping[str, Any]) -> TechniqueTerms:
    """The answers of the technique that the group `technique` describes; InputError for an unknown method."""
    terms: TechniqueTerms = _module(raw).terms(raw)
    return terms


def parameters(raw: Mapping[str, Any]) -> Table:
    """The table of the parameters of that technique."""
    table: Table = _module(raw).PARAMETERS
    return table


def _module(raw: Mapping[str, Any]) -> Any:
    method = raw.get("method")
    if method not in methods():
        raise InputError(f"technique.method={method} is not allowed: choose one of {', '.join(methods())}")
    return importlib.import_module(f"dse.technique.{method}")

"""What the shipped config.yaml holds beside the groups: the commands' own settings."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from dse.case import GROUPS
from dse.errors import InputError
from dse.shipped import configuration_folder

RESERVED = ("hydra",)


@functools.cache
def root_keys() -> tuple[str, ...]:
    """Top-level keys that mean something: the groups of a case, and what the shipped config.yaml holds beside them."""
    chosen = (str(name) for entry in _shipped_file()["defaults"] if not isinstance(entry, str) for name in entry)
    own = [name for name in chosen if name.isidentifier() and name not in (*RESERVED, "experiment")]
    return tuple(dict.fromkeys([*GROUPS, *own, *shipped_settings()]))


def shipped_settings() -> dict[str, Any]:
    """The commands' own settings, as the shipped config.yaml has them, less those of groups."""
    return {key: value for key, value in _shipped_file().items() if key not in ("defaults", *RESERVED, *GROUPS)}


@functools.cache
def _shipped_file() -> dict[str, Any]:
    import yaml

    text = (configuration_folder() / "config.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return read


def refuse_deleted(found: Mapping[str, Any], shipped: Mapping[str, Any], prefix: str = "") -> None:
    """InputError for the first of the `shipped` keys that is not there: commands read them all."""
    for key, value in shipped.items():
        if key not in found:
            raise InputError(f"{prefix}{key} is missing: it cannot be deleted; leave it at {prefix}{key}={value}")
        if isinstance(value, Mapping) and value:
            if not isinstance(found[key], Mapping):
                raise InputError(f"{prefix}{key}={found[key]} is not allowed: it has the keys {', '.join(value)}")
            refuse_deleted(found[key], value, f"{prefix}{key}.")

"""Design-space exploration and cost optimisation for LLM-serving accelerators.

In a script or a notebook: `dse.search(...)` runs a search, `dse.load_study(...)` reads one back.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dse.version import __version__

if TYPE_CHECKING:
    from dse.search.saved import SavedSearch

__all__ = ["__version__", "load_study", "run_search"]


def run_search(*overrides: str, **settings: Any) -> SavedSearch | list[SavedSearch]:
    """The study that `dse search` makes of the same overrides; a list where several techniques are listed.

    `settings` are further keys with values in Python: `n_trials=200`, `seed=1`, `storage="sqlite"`, and `name` for
    study.name. Raises InputError as the command line does. `dse.search(...)` is the same.
    """
    from dse.cli.notebook import searched

    return searched(overrides, settings)


def load_study(name: str, storage: str | None = None) -> SavedSearch:
    """The saved study of that name, as it stands; InputError where there is none."""
    from dse.search.saved import load_study as loaded

    return loaded(name, storage)


def __getattr__(name: str) -> Any:
    """`dse.search` is there without an import of its own, and costs nothing until it is asked for."""
    if name == "search":
        return importlib.import_module("dse.search")
    raise AttributeError(f"module dse has no attribute {name}")

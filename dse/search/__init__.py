"""Searches that can be stopped at any moment: `dse.search(...)` runs one, `dse.load_study(...)` reads one back."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """This package can be called: `dse.search("hardware.l2_mib=interval(8,256)", n_trials=100)`."""

    def __call__(self, *overrides: str, **settings: Any) -> Any:
        """Runs a search as the command line would; see `dse.run_search`."""
        import dse

        return dse.run_search(*overrides, **settings)


sys.modules[__name__].__class__ = _Callable

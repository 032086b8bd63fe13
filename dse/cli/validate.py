"""The verb `validate`: published and measured figures beside ours; fails where a tolerance is missed.

usage: dse validate [write=true] [output=json]

Every figure that the project quotes, with ours, the error, the tolerance, and whether constants were fitted to it. The
exit status is 1 where one misses its tolerance.

  write=true             write docs/validation.md instead of printing it (in a source tree)
  output=json            one JSON object on stdout and nothing else

examples:
  dse validate output=table
  dse validate output=json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dse.atomic import write_text
from dse.cli.hydra_run import composed
from dse.errors import InputError
from dse.shipped import configuration_folder

ALLOWED = {"write": ("true", "false"), "output": ("table", "json")}


def run(arguments: Sequence[str]) -> int:
    """Checks every figure and prints the page; 0, or 1 where a tolerance is missed."""
    from dse.validation.every import SECTION_MEANS, SECTION_NOTES, every_figure
    from dse.validation.figure import checked, means, missed
    from dse.validation.page import page

    given = _given(arguments)
    found = checked(every_figure(), composed)
    averages = means(found, SECTION_MEANS)
    misses = missed(found, averages)
    if given["output"] == "json":
        print(json.dumps(_json(found, averages, misses), indent=2))
    elif given["write"] == "true":
        path = page_path()
        write_text(path, page(found, averages, SECTION_NOTES))
        print(path)
    else:
        print(page(found, averages, SECTION_NOTES), end="")
    for miss in misses:
        print(f"dse: {miss} misses its tolerance", file=sys.stderr)
    return 1 if misses else 0


def page_path() -> Path:
    """docs/validation.md of the source tree; InputError where there is none, as in an installed package."""
    folder = configuration_folder().parent / "docs"
    if not folder.is_dir():
        raise InputError("write=true is not allowed here: there is no source tree with a folder docs")
    return folder / "validation.md"


def _given(arguments: Sequence[str]) -> dict[str, str]:
    given = {"write": "false", "output": "table"}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in ALLOWED:
            raise InputError(f"{argument} is not allowed: dse validate takes {' and '.join(ALLOWED)}")
        if value not in ALLOWED[key]:
            raise InputError(f"{argument} is not allowed: {key} takes {' or '.join(ALLOWED[key])}")
        given[key] = value
    return given


def _json(found: Sequence[Any], averages: Sequence[Any], misses: Sequence[str]) -> dict[str, Any]:
    figures = [{**{key: value for key, value in one.figure._asdict().items() if key != "ours"}, "ours": one.ours,
                "error": one.error, "met": one.met} for one in found]
    return {"figures": figures, "means": [one._asdict() for one in averages], "missed": list(misses)}

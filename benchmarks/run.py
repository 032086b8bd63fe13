"""Measures everything; prints and writes (table.md) a table with the machine, the goals, and what the last run found.

    python benchmarks/run.py                 all measures, a few minutes
    python benchmarks/run.py bounding grids  some of them
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from measures import Figure

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
LAST, TABLE = HERE / "last.json", HERE / "table.md"


def machine() -> str:
    """The processor, and what the reference is built with."""
    import os

    import llvmlite
    import numpy as np

    named = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    compiler = subprocess.run(["g++", "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    return (f"{named[0] if named else platform.processor()}, {len(os.sched_getaffinity(0))} processors; Python "
            f"{platform.python_version()}, NumPy {np.__version__}, llvmlite {llvmlite.__version__}; {compiler}")


def row(figure: Figure, before: float | None) -> str:
    """The figure as a line of the table, with what it was `before`."""
    bound = "" if figure.goal is None else f"{'<=' if figure.at_most else '>='} {figure.goal:g}"
    met = {None: "", True: "yes", False: "no"}[figure.met()]
    last = "" if before is None else f"{before:.3g}"
    return f"| {figure.name} | {figure.value:.3g} {figure.unit} | {bound} | {met} | {last} |"


def main(names: list[str]) -> None:
    from measures import ALL, Figure

    chosen = [measure for measure in ALL if not names or measure.__name__ in names]
    if not chosen:
        sys.exit(f"choose among {', '.join(measure.__name__ for measure in ALL)}")
    last = json.loads(LAST.read_text(encoding="utf-8")) if LAST.exists() else {}
    kept = {name: lines for name, lines in last.items() if name in {measure.__name__ for measure in ALL}}
    before = {line[0]: line[1] for lines in kept.values() for line in lines}
    head = f"{machine()}\n\n| what | now | goal | met | last |\n|---|---|---|---|---|"
    print(head)
    for measure in chosen:
        kept[measure.__name__] = []
        for figure in measure():
            print(row(figure, before.get(figure.name)), flush=True)
            kept[measure.__name__].append(list(figure))
        LAST.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    lines = [row(Figure(*line), before.get(line[0])) for measure in ALL for line in kept.get(measure.__name__, [])]
    TABLE.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

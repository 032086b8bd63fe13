"""Measures everything and prints a table with the machine, the goals, and what the last run found.

    python benchmarks/run.py                 all measures, a few minutes
    python benchmarks/run.py bounding grids  some of them
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
LAST = HERE / "last.json"


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


def main(names: list[str]) -> None:
    from measures import ALL

    chosen = [measure for measure in ALL if not names or measure.__name__ in names]
    if not chosen:
        sys.exit(f"choose among {', '.join(measure.__name__ for measure in ALL)}")
    last = json.loads(LAST.read_text(encoding="utf-8")) if LAST.exists() else {}
    found = dict(last)
    print(f"{machine()}\n\n| what | now | goal | met | last |\n|---|---|---|---|---|")
    for measure in chosen:
        for figure in measure():
            bound = "" if figure.goal is None else f"{'<=' if figure.at_most else '>='} {figure.goal:g}"
            met = {None: "", True: "yes", False: "no"}[figure.met()]
            before = f"{last[figure.name]:.3g}" if figure.name in last else ""
            print(f"| {figure.name} | {figure.value:.3g} {figure.unit} | {bound} | {met} | {before} |", flush=True)
            found[figure.name] = figure.value
    LAST.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

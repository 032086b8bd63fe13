"""Builds the C++ reference of the model and calls it."""

from __future__ import annotations

import ctypes
import hashlib
import math
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cpp import INLINE, Translation

from dse.case import paths
from dse.grid.front import Objective
from dse.grid.grid import Grid
from dse.objective import Metrics, metrics

HERE = Path(__file__).resolve().parent
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
         "-fno-semantic-interposition", "-shared", "-fPIC", "-pthread")
Numbers = npt.NDArray[np.float64]


def source(slots: Sequence[int], order: Sequence[int], objectives: Sequence[Objective]) -> str:
    """The whole C++ text: the equations, and loops over `slots`, nested in `order`, outermost first."""
    translation = Translation()
    root = translation.function(metrics)
    fields = [".".join(f"{part}_" for part in path.split(".")) for path in paths()]
    places = [fields[slot] for slot in slots]
    heads = []
    for level, axis in enumerate(order):
        low, high = ("first", "last") if not level else ("0", f"lengths[{axis}]")
        heads.append(f"for (int64_t i{axis} = {low}; i{axis} < {high}; ++i{axis}) {{ "
                     f"row.{places[axis]} = columns[{axis}][i{axis}];")
    found = [f"{'-' if maximise else ''}found.{name}_" for name, maximise in objectives]
    lines = [
        translation.source(), "#include <cstdint>", "using Case = dse_objective_Case;",
        "using Metrics = dse_objective_Metrics;", f"#define METRICS {root}", f"#define OBJECTIVES {len(objectives)}",
        f"#define AXES {len(slots)}", f"#define NEST {' '.join(heads)}", f"#define END_NEST {'}' * len(order)}",
        f"{INLINE} void set_rows(Case& row, const double* const* columns, int64_t i) {{",
        *(f"row.{place} = columns[{axis}][i];" for axis, place in enumerate(places)), "}",
        f"{INLINE} void set_place(Case& row, const double* const* columns, const int64_t* at) {{",
        *(f"row.{place} = columns[{axis}][at[{axis}]];" for axis, place in enumerate(places)), "}",
        f"{INLINE} void store(const Metrics& found, double* out, int64_t stride) {{",
        *(f"out[{number} * stride] = found.{name}_;" for number, name in enumerate(Metrics._fields)), "}",
        f"{INLINE} void objectives(const Metrics& found, double* values) {{",
        *(f"values[{number}] = {value};" for number, value in enumerate(found)), "}",
        (HERE / "reference.cpp").read_text(encoding="utf-8"),
    ]
    return "\n".join(lines)


class Reference:
    """The built reference for some slots, loops and objectives."""

    def __init__(self, slots: Sequence[int], order: Sequence[int], objectives: Sequence[Objective]) -> None:
        text = source(slots, order, objectives)
        folder = Path(tempfile.gettempdir()) / "dse-benchmarks"
        folder.mkdir(exist_ok=True)
        built = folder / f"{hashlib.sha256((text + ' '.join(FLAGS)).encode()).hexdigest()[:16]}.so"
        if not built.exists():
            made = built.with_suffix(".cpp")
            made.write_text(text, encoding="utf-8")
            subprocess.run(["g++", *FLAGS, "-o", str(built), str(made)], check=True)
        self.compiled: Any = ctypes.CDLL(str(built))
        self.compiled.grid.restype = ctypes.c_int64
        self.slots, self.order, self.objectives = slots, order, len(objectives)

    def rows(self, base: Sequence[float], values: Numbers, out: Numbers) -> None:
        """All metrics of independent designs into `out`, on one thread."""
        pointers = (ctypes.c_void_p * len(values))(*(row.ctypes.data for row in values))
        numbers = np.array(base)
        self.compiled.rows(ctypes.c_void_p(numbers.ctypes.data), pointers, ctypes.c_int64(0),
                          ctypes.c_int64(values.shape[1]), ctypes.c_int64(out.shape[1]),
                          ctypes.c_void_p(out.ctypes.data))

    def front(self, grid: Grid, first: int, last: int) -> Numbers:
        """The front of the part of the grid from turn `first` to `last` of the outermost loop, on one thread."""
        axes = [np.array(axis.values) for axis in grid.axes]
        pointers = (ctypes.c_void_p * len(axes))(*(axis.ctypes.data for axis in axes))
        lengths, numbers = np.array(grid.shape, dtype=np.int64), np.array(grid.base)
        out = np.empty((min(10**6, math.prod(grid.shape)), self.objectives))
        count = self.compiled.grid(ctypes.c_void_p(numbers.ctypes.data), pointers,
                                  ctypes.c_void_p(lengths.ctypes.data), ctypes.c_int64(first), ctypes.c_int64(last),
                                  ctypes.c_void_p(out.ctypes.data))
        return out[:count]

"""Which figures a sweep gets, from its axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.figures.labels import group, is_chosen, quantity
from dse.figures.table import REFERENCE
from dse.grid.table import Columns

L2 = "hardware.l2_mib"
TECHNIQUE = "technique"
MODEL = "model"
SPLIT = "parallelism.tensor_parallel"
LEAST_VALUES = 3  # two points are no curve


def draw_sweep(table: Columns, record: Mapping[str, Any], folder: Path, along: str | None = None) -> list[str]:
    """Draws the figures that the sweep's axes call for into `folder`; returns a line for each that cannot be drawn.

    A table that holds the fronts alone has no curves to show, so that the front is the only figure. The objective is
    drawn along L2 size where that is an axis, else along the numeric axis with most values, the first of them; or
    `along` an axis of one's choice, InputError where it is not a numeric one.
    """
    from dse.figures.style import save

    provenance = f"dse {record['provenance']['dse']}: {' '.join(record['command'])}"
    left_out = []
    for name, draw in _figures(table, record, along):
        try:
            save(draw(), folder / name, provenance)
        except InputError as error:
            left_out.append(f"no figure {name}: {error}")
    return left_out


def _figures(table: Columns, record: Mapping[str, Any],
             along: str | None) -> Iterator[tuple[str, Callable[[], Any]]]:
    axes = record["axes"]
    every_design = record["designs"] == record["rows"]
    x = _curve_axis(axes) if along is None else _asked_axis(along, axes, every_design)
    if x is not None and every_design:
        yield _curve_name(x, record["objective"]), lambda: _objective_along(table, record, x)
    if SPLIT in axes and MODEL in axes and every_design:
        yield "speedup", lambda: _speedup(table, record, SPLIT, MODEL)
    elif x is not None and set(axes) == {x, TECHNIQUE} and len(axes[TECHNIQUE]) > 2 and REFERENCE in axes[TECHNIQUE]:
        yield "speedup", lambda: _speedup(table, record, x, TECHNIQUE)
    if all(is_chosen(axis) for axis in axes if axis != TECHNIQUE):
        yield "pareto", lambda: _pareto(table, record)


def _curve_axis(axes: Mapping[str, Sequence[Any]]) -> str | None:
    """The axis that the curve is drawn along if none is asked for; None where no numeric one has enough values."""
    if len(axes.get(L2, ())) > 1:
        return L2
    counts = {key: len(axes[key]) for key in _numeric(axes)}
    longest = max(counts, key=lambda key: counts[key], default=None)
    return longest if longest is not None and counts[longest] >= LEAST_VALUES else None


def _asked_axis(along: str, axes: Mapping[str, Sequence[Any]], every_design: bool) -> str:
    if not every_design:
        raise InputError(f"along={along} is not allowed: the sweep holds the fronts alone, not every design")
    allowed = [key for key in _numeric(axes) if len(axes[key]) > 1]
    if along not in allowed:
        raise InputError(f"along={along} is not allowed: the sweep's axes with several numbers are "
                         f"{', '.join(allowed) or 'none'}")
    return along


def _numeric(axes: Mapping[str, Sequence[Any]]) -> list[str]:
    return [key for key, values in axes.items()
            if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)]


def _curve_name(along: str, objective: str) -> str:
    """The figure's file: along L2 the one that the question is about has the name of what it shows."""
    return "performance_per_cost" if along == L2 and quantity(objective).better > 0.0 else "objective_along"


def _objective_along(table: Columns, record: Mapping[str, Any], along: str) -> Any:
    from dse.figures.objective_along import Chip, draw_objective_along, objective_along_data

    is_of_the_chip = record["chip"] and group(along) == "hardware"
    chip = Chip(record["chip"]["name"], record["chip"]["values"]) if is_of_the_chip else None
    data = objective_along_data(table, record["objective"], chip, along)
    return draw_objective_along(data, title=_caption(record, record["objective"]))


def _pareto(table: Columns, record: Mapping[str, Any]) -> Any:
    from dse.figures.pareto import draw_pareto, pareto_data

    return draw_pareto(pareto_data(table, objective=record["objective"]), title=_caption(record, "group_usd"))


def _speedup(table: Columns, record: Mapping[str, Any], along: str, curves: str) -> Any:
    from dse.figures.speedup import draw_speedup, speedup_data

    return draw_speedup(speedup_data(table, along, curves=curves), title=_caption(record))


def _caption(record: Mapping[str, Any], *shown: str) -> str:
    """What the designs have in common and, where one of the quantities `shown` is in dollars, which dollars."""
    from dse.evaluation import dollars
    from dse.figures.caption import caption

    said = caption(record["configuration"], [*record["axes"], *record.get("given", ())])
    in_dollars = any("USD" in quantity(key).unit for key in shown)
    return f"{said}, {dollars(record['configuration']['cost'])}" if in_dollars else said


def draw_evaluation(answer: Mapping[str, Any], stem: Path) -> None:
    """Draws where the time and the money of one evaluated design go, as STEM_latency and STEM_cost."""
    from dse.figures.caption import caption
    from dse.figures.cost_breakdown import cost_breakdown_data, draw_cost_breakdown
    from dse.figures.latency_breakdown import draw_latency_breakdown, latency_breakdown_data
    from dse.figures.style import save

    provenance = f"dse {answer['provenance']['dse']}"
    title = caption(answer["design"], ())
    sides = {"none": answer["baseline"], answer["technique"]: answer["technique_metrics"]}
    operators = {technique: metrics["latency"]["operators"] for technique, metrics in sides.items()}
    save(draw_latency_breakdown(latency_breakdown_data(operators), title), Path(f"{stem}_latency"), provenance)
    costs = cost_breakdown_data({answer["design"]["hardware"]["name"]: answer["baseline"]})
    save(draw_cost_breakdown(costs, title), Path(f"{stem}_cost"), provenance)


def draw_uncertainty(folder: Path, record: Mapping[str, Any]) -> list[str]:
    """Draws the figures of an uncertainty run from the tables in `folder`; a line for each that cannot be drawn."""
    from dse.figures.style import save

    provenance = f"dse {record['provenance']['dse']}: {' '.join(record['command'])}"
    left_out: dict[str, list[str]] = {}
    for name, draw in _uncertainty_figures(folder, record):
        try:
            save(draw(), folder / name, provenance)
        except InputError as error:
            left_out.setdefault(str(error), []).append(name)
    return [f"no figure {', '.join(names)}: {error}" for error, names in left_out.items()]


def _uncertainty_figures(folder: Path, record: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    if record["along"] and (folder / "optimum.csv").is_file():
        yield "bands", lambda: _bands(read_table(folder / "optimum.csv"), record)
    if record["axes"] and (folder / "front.csv").is_file():
        yield "front_bands", lambda: _front_bands(read_table(folder / "front.csv"), read_table(folder / "bands.csv"),
                                                  record)
    if (folder / "sobol.csv").is_file():
        table = read_table(folder / "sobol.csv")
        for of in dict.fromkeys(table["quantity"].tolist()):
            yield f"tornado_{of}", partial(_tornado, table, record, of)


def _bands(table: Columns, record: Mapping[str, Any]) -> Any:
    from dse.figures.bands import bands_data, draw_bands

    data = bands_data(table, record["along"], record["objective"], record["percentiles"], record["given"],
                      record["axes"])
    return draw_bands(data, _caption(record, record["objective"]))


def _front_bands(fronts: Columns, designs: Columns, record: Mapping[str, Any]) -> Any:
    from dse.figures.front_bands import draw_front_bands, front_bands_data

    data = front_bands_data(fronts, designs, record["percentiles"], record["given"])
    return draw_front_bands(data, _caption(record, "group_usd"))


def _tornado(table: Columns, record: Mapping[str, Any], of: str) -> Any:
    from dse.figures.tornado import draw_tornado, tornado_data

    return draw_tornado(tornado_data(table, of, record["intervals"], record["objective"], record["given"],
                                     record["along"]), _caption(record, of, record["objective"]))


def read_table(path: Path) -> Columns:
    """The columns of a CSV file; what is empty in a column of numbers is NaN."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    table = csv.read_csv(path)
    columns = {name: table.column(name) for name in table.column_names}
    return {name: np.full(len(column), np.nan) if pa.types.is_null(column.type) else
            column.to_numpy(zero_copy_only=False) for name, column in columns.items()}

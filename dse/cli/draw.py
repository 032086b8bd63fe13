"""Which figures a sweep gets, from its axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.figures.labels import is_chosen, quantity
from dse.grid.table import Columns

L2 = "hardware.l2_mib"
TECHNIQUE = "technique"
MODEL = "model"
SPLIT = "parallelism.tensor_parallel"


def draw_sweep(table: Columns, record: Mapping[str, Any], folder: Path) -> list[str]:
    """Draws the figures that the sweep's axes call for into `folder`; returns a line for each that cannot be drawn.

    A table that holds the fronts alone has no curves to show, so that the front is the only figure.
    """
    from dse.figures.style import save

    provenance = f"dse {record['provenance']['dse']}: {' '.join(record['command'])}"
    left_out = []
    for name, draw in _figures(table, record):
        try:
            save(draw(), folder / name, provenance)
        except InputError as error:
            left_out.append(f"no figure {name}: {error}")
    return left_out


def _figures(table: Columns, record: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    axes = record["axes"]
    every_design = record["designs"] == record["rows"]
    if len(axes.get(L2, ())) > 1 and every_design:
        yield "performance_per_cost", lambda: _performance_per_cost(table, record)
    if SPLIT in axes and MODEL in axes and every_design:
        yield "speedup", lambda: _speedup(table, record)
    if all(is_chosen(axis) for axis in axes if axis != TECHNIQUE):
        yield "pareto", lambda: _pareto(table, record)


def _performance_per_cost(table: Columns, record: Mapping[str, Any]) -> Any:
    from dse.figures.performance_per_cost import Chip, draw_performance_per_cost, performance_per_cost_data

    chip = record["chip"] and Chip(record["chip"]["name"], record["chip"]["values"])
    data = performance_per_cost_data(table, record["objective"], chip)
    return draw_performance_per_cost(data, title=_caption(record, record["objective"]))


def _pareto(table: Columns, record: Mapping[str, Any]) -> Any:
    from dse.figures.pareto import draw_pareto, pareto_data

    return draw_pareto(pareto_data(table, objective=record["objective"]), title=_caption(record, "group_usd"))


def _speedup(table: Columns, record: Mapping[str, Any]) -> Any:
    from dse.figures.speedup import draw_speedup, speedup_data

    return draw_speedup(speedup_data(table, SPLIT), title=_caption(record))


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

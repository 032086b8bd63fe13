"""The answer as tables: a row a design, an axis value, a shift, an assumption, a robust choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dse.grid.table import Columns
from dse.uncertainty.analysis import Analysis
from dse.uncertainty.bands import BANDED
from dse.uncertainty.competition import TECHNIQUE
from dse.uncertainty.contest import REFERENCE, shift
from dse.uncertainty.standing import FRONT, NOBODY

Row = dict[str, Any]


def percentile_name(percentile: float) -> str:
    """How a percentile is called in a column: p05, p50, p97.5."""
    return f"p{percentile:04.1f}" if percentile % 1.0 else f"p{percentile:02.0f}"


def bands_table(found: Analysis) -> Columns:
    """A row a design: its columns, how it stands, then each metric at base and at the percentiles."""
    bands, standing = found.bands, found.drawn
    table: Columns = {
        **found.competition.columns,
        "probability_feasible": bands.feasible, "on_front_at_base": found.base.on_front,
        "probability_on_front": standing.on_front,
        "probability_best": standing.best, "assured": bands.assured, "regret_mean": bands.regret,
        f"regret_{percentile_name(found.asked.percentiles[-1])}": bands.high_regret}
    for place, name in enumerate(BANDED):
        table[name] = bands.base[place]
        for row, percentile in enumerate(found.asked.percentiles):
            table[f"{name}_{percentile_name(percentile)}"] = bands.percentiles[row, place]
    return table


def front_table(found: Analysis) -> list[Row]:
    """A row for each class and price: the most throughput had for at most that price, at base and in bands."""
    price, throughput = FRONT[1], FRONT[0]
    rows = []
    known = [(kind, front) for kind, front in enumerate(found.fronts) if front is not None]
    for kind, front in known:
        for place in range(len(front.prices)):
            row = {**_head(found, kind), price: front.prices[place], "probability_feasible": front.reached[place],
                   throughput: _finite(front.base[place])}
            for turn, percentile in enumerate(found.asked.percentiles):
                row[f"{throughput}_{percentile_name(percentile)}"] = _finite(front.percentiles[turn, place])
            rows.append(row)
    return rows


def _finite(value: float) -> float:
    return value if np.isfinite(value) else float("nan")


def optimum_table(found: Analysis) -> list[Row]:
    """A row for each value of each chosen axis in each class: how probable it is that the best design has it.

    Of the axis that is asked about also the best objective among the designs with that value, at base and in bands.
    """
    return [row for kind in range(len(found.competition.kinds)) for key in found.competition.chosen
            for row in _values(found, kind, key)]


def _values(found: Analysis, kind: int, key: str) -> Iterator[Row]:
    among, column = found.competition, found.competition.columns[key]
    members = among.members(kind)
    winners = found.drawn.winners[kind]
    chosen = column[winners[winners != NOBODY]]
    base = found.base.winners[kind, 0]
    for value in dict.fromkeys(column[members].tolist()):
        row = {**_head(found, kind), "axis": key, "value": value,
               "probability": float(np.mean(chosen == value)) if len(chosen) else 0.0,
               "best_at_base": float(base != NOBODY and column[base] == value)}
        if key == among.along:
            group = among.groups[members[column[members] == value][0]]
            row["probability_feasible"] = found.bands.along_feasible[group]
            row[found.asked.aim.name] = found.bands.along_base[group]
            for place, percentile in enumerate(found.asked.percentiles):
                row[f"{found.asked.aim.name}_{percentile_name(percentile)}"] = found.bands.along[place, group]
        yield row


def shift_table(found: Analysis) -> list[Row]:
    """A row for each ratio of the optimum with a technique to the one without, draw by draw, and its probability."""
    rows = []
    for kind, ratios in shifts(found):
        known = ratios[~np.isnan(ratios)]
        for value, count in zip(*np.unique(known, return_counts=True), strict=True):
            rows.append({**_head(found, kind), "axis": found.competition.along, "ratio": float(value),
                         "probability": float(count / len(known))})
    return rows


def shifts(found: Analysis) -> Iterator[tuple[int, Any]]:
    """The class of each technique beside the reference, and the ratio of the two optima in each draw."""
    along = found.competition.along
    for _, kinds in found.competition.situations():
        if along is None or REFERENCE not in kinds:
            continue
        reference = found.optima(kinds[REFERENCE], along)[1]
        for technique, kind in kinds.items():
            if technique != REFERENCE:
                yield kind, shift(found.optima(kind, along)[1], reference)


def influence_table(found: Analysis) -> list[Row]:
    """A row for each quantity and unknown, the one with the largest total index of a quantity first."""
    rows = []
    keys = unknown_keys(found)
    for decided in found.decided:
        part = decided.influence
        for place, quantity in enumerate(decided.quantities):
            for unknown in np.argsort(-np.nan_to_num(part.total[place]), kind="stable"):
                name = found.ensemble.unknowns[unknown]
                rows.append({
                    **dict(zip(found.competition.given, decided.situation, strict=True)),
                    TECHNIQUE: quantity.technique, "quantity": quantity.name, "assumption": name,
                    "constants": " ".join(keys[name]),
                    "first_order": part.first[place, unknown], "first_order_error": part.first_error[place, unknown],
                    "total": part.total[place, unknown], "total_error": part.total_error[place, unknown],
                    "undecided": part.undecided[place], "at_low": part.low[place, unknown], "at_base": part.base[place],
                    "at_high": part.high[place, unknown]})
    return rows


def unknown_keys(found: Analysis) -> dict[str, list[str]]:
    """The constants that move with each unknown."""
    keys: dict[str, dict[str, None]] = {name: {} for name in found.ensemble.unknowns}
    for member in found.ensemble.members:
        for interval in member.intervals:
            keys[interval.unknown][interval.key] = None
    return {name: list(own) for name, own in keys.items()}


def robust_table(found: Analysis) -> list[Row]:
    """A row for each class and rule of choice: the design that it picks, and how that design does."""
    return [row for kind in range(len(found.competition.kinds)) for row in _robust(found, kind)]


def _robust(found: Analysis, kind: int) -> Iterator[Row]:
    bands, aim, name = found.bands, found.asked.aim, found.asked.aim.name
    members = found.competition.members(kind)
    low, high = (percentile_name(found.asked.percentiles[place]) for place in (0, -1))
    if not (found.drawn.winners[kind] != NOBODY).any():
        return
    assured = np.where(np.isnan(bands.assured[members]), -np.inf, aim.better * bands.assured[members])
    picks: dict[str, int] = {
        "most often best": int(members[np.argmax(found.drawn.best[members])]),
        "best low percentile": int(members[np.argmax(assured)]),
        "least mean regret": int(members[np.argmin(bands.regret[members])]),
        "least high regret": int(members[np.argmin(bands.high_regret[members])])}
    if found.base.winners[kind, 0] != NOBODY:
        picks = {"best at base": int(found.base.winners[kind, 0]), **picks}
    for rule, place in picks.items():
        chosen = {key: found.competition.columns[key][place].item() for key in found.competition.chosen}
        yield {**_head(found, kind), "rule": rule, **chosen, name: bands.base[BANDED.index(name), place],
               f"{name}_{low}": bands.percentiles[0, BANDED.index(name), place],
               f"{name}_{high}": bands.percentiles[-1, BANDED.index(name), place],
               "assured": bands.assured[place], "probability_feasible": bands.feasible[place],
               "probability_best": found.drawn.best[place], "regret_mean": bands.regret[place],
               f"regret_{high}": bands.high_regret[place]}


def _head(found: Analysis, kind: int) -> Row:
    one = found.competition.kinds[kind]
    return {**dict(zip(found.competition.given, one.situation, strict=True)), TECHNIQUE: one.technique}

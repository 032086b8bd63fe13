"""Where the silicon and the dollars go: area by block, cost by item, of one device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.labels import block_name, number
from dse.figures.stacks import BAR_INCHES, Segment, draw_stacks
from dse.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    ORANGE,
    PAGE_INCHES,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    look,
    panels,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALE_GREEN, PALE_PURPLE = "#80CEB9", "#E5BCD3"
AREA_COLOURS = {"cores": BLUE, "l2": ORANGE, "hbm_phy": GREEN, "hbm_controller": PALE_GREEN, "link_phy": PURPLE,
                "link_controller": PALE_PURPLE, "host_interface": SKY, "die_to_die": VERMILION,
                "network_on_chip": YELLOW, "other": FAINT}
ITEM_COLOURS = {"die": BLUE, "hbm": GREEN, "package": ORANGE, "test": SKY, "board": YELLOW, "host_share": FAINT,
                "network": PURPLE, "nre": VERMILION}


class DesignCost(NamedTuple):
    """One design: mm2 of each block of its silicon, USD of each item of one device, and both sums."""

    name: str
    blocks_mm2: tuple[tuple[str, float], ...]
    items_usd: tuple[tuple[str, float], ...]
    die_mm2: float
    total_usd: float


class CostBreakdown(NamedTuple):
    """The designs in their order."""

    designs: tuple[DesignCost, ...]


def cost_breakdown_data(designs: Mapping[str, Mapping[str, Any]]) -> CostBreakdown:
    """What each design's METRICS (as an evaluation prints them) say of area and cost; parts of 0 are left out.

    InputError where there is no design, or one lacks `area.blocks_mm2` or `cost.items_usd`.
    """
    if not designs:
        raise InputError("there is no design to show the cost of: at least one is needed")
    found = []
    for name, metrics in designs.items():
        blocks = _parts(name, metrics, "area", "blocks_mm2")
        items = _parts(name, metrics, "cost", "items_usd")
        found.append(DesignCost(name, blocks, items, sum(value for _, value in blocks),
                                sum(value for _, value in items)))
    return CostBreakdown(tuple(found))


def _parts(name: str, metrics: Mapping[str, Any], group: str, key: str) -> tuple[tuple[str, float], ...]:
    if key not in metrics.get(group, {}):
        raise InputError(f"{name} has no {group}.{key}: the metrics of an evaluation are needed")
    parts = {part: float(value) for part, value in metrics[group][key].items()}
    wrong = [part for part, value in parts.items() if not np.isfinite(value) or value < 0.0]
    if wrong:
        raise InputError(f"{name} has {group}.{key}.{wrong[0]}={parts[wrong[0]]}: it must be 0 or more")
    return tuple((part, value) for part, value in parts.items() if value > 0.0)


def draw_cost_breakdown(data: CostBreakdown, title: str = "", dollars: str = "nominal USD") -> Figure:
    """The figure: areas above, cost below, a bar for each design. `dollars`: which dollars these are."""
    with look():
        count = len(data.designs)
        figure, [[above], [below]] = panels(2, 1, (PAGE_INCHES, 1.9 + 2.0 * BAR_INCHES * count))
        names = [design.name for design in data.designs]
        draw_stacks(above, names, [_segments(design.blocks_mm2, AREA_COLOURS) for design in data.designs],
                    [f"{number(design.die_mm2)} mm²" for design in data.designs])
        draw_stacks(below, names, [_segments(design.items_usd, ITEM_COLOURS) for design in data.designs],
                    [f"{number(design.total_usd)} USD" for design in data.designs])
        above.set_xlabel("Silicon of one device by block (mm²)")
        below.set_xlabel(f"Cost of one device with its share of host and network ({dollars})")
        figure.suptitle(wrapped(figure, title, 7.0), fontsize=7.0)
        for axes, colours, parts in ((above, AREA_COLOURS, [design.blocks_mm2 for design in data.designs]),
                                     (below, ITEM_COLOURS, [design.items_usd for design in data.designs])):
            _draw_legend(axes, colours, dict.fromkeys(part for found in parts for part, _ in found))
    return figure


def _segments(parts: tuple[tuple[str, float], ...], colours: Mapping[str, str]) -> list[Segment]:
    return [Segment(value, block_name(part), f"{value:,.0f}", colours.get(part, GREY)) for part, value in parts]


def _draw_legend(axes: Axes, colours: Mapping[str, str], parts: Iterable[str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colours.get(part, GREY), label=block_name(part)) for part in parts]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=9, handlelength=1.0,
                columnspacing=0.9, handletextpad=0.5, borderaxespad=0.0)

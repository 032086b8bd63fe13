"""The designs that a command line asks for: compositions of what is not a number, and a grid of numbers in each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.case import case, paths, row, slots
from dse.cli.axes import Plan, SweptKey, plan
from dse.cli.configurations import Configurations
from dse.cli.hydra_run import groups, plain, referenced
from dse.cli.progress import ProgressLine, duration
from dse.errors import InputError
from dse.figures.labels import quantity
from dse.grid.grid import Axis, Grid
from dse.grid.table import Part
from dse.objective import Metrics
from dse.technique.terms import OFF

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

TECHNIQUE = "technique"
NONE = "none"
LONGEST_S = 2 * 3600.0  # of composing


class Composed(NamedTuple):
    """One choice of everything that is not a number: its labels, and its configuration."""

    labels: dict[str, Any]
    settings: dict[str, Any]


class Designs(NamedTuple):
    """All designs of a command: `settings` are those of the first, `chip` the one that they start from, if it is one.

    `numeric` are the axes that are numbers of the compiled model.
    """

    asked: Plan
    settings: dict[str, Any]
    objective: str
    numeric: tuple[SweptKey, ...]
    compositions: tuple[Composed, ...]
    chip: dict[str, Any] | None

    @property
    def axes(self) -> tuple[str, ...]:
        """Keys of the axes, in the order given."""
        return tuple(axis.key for axis in self.asked.axes)

    @property
    def columns(self) -> list[str]:
        """Keys that tell the designs apart: the axes, and the technique."""
        return [*self.axes, *([] if _has_technique(self.asked) else [TECHNIQUE])]

    def parts(self, one: Composed) -> Iterator[Part]:
        """The grids of one composition: without and with its technique, unless the technique is an axis."""
        yield from _parts(one, self.numeric, self.asked)


def designs(loader: ConfigLoader, master: DictConfig, arguments: Sequence[str], largest: int,
            one_is_enough: bool = False, allowed: Callable[[Mapping[str, Any], int], object] | None = None) -> Designs:
    """The designs that `arguments` describe, at most `largest`; without an axis only if one design is enough.

    Raises InputError for what cannot be composed, an unknown objective, a wrong value of `figures`, or too many
    compositions; and `allowed` may, which is given the settings and the number of combinations.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(arguments))
    asked = plan(parsed, largest, one_is_enough)
    configurations = Configurations(loader, master, asked.fixed)
    config = configurations.under([axis.overrides[0] for axis in asked.axes])
    first = plain(config)
    objective = first["objective"]
    ranked = [name for name in Metrics._fields if quantity(name).better]
    if objective not in ranked:
        raise InputError(f"objective={objective} is not allowed: choose one of {', '.join(ranked)}")
    if not isinstance(first["figures"], bool):
        raise InputError(f"figures={first['figures']} is not allowed: choose true or false")
    if allowed:
        allowed(first, asked.size)
    numeric, other = _sorted_axes(asked, groups(first, _overridden(asked)), referenced(config))
    compositions = tuple(_compositions(configurations, asked, numeric, other, first))
    chip = _chip(plain(configurations.fixed), asked)
    return Designs(asked, first, objective, tuple(numeric), compositions, chip)


def _chip(settings: Mapping[str, Any], asked: Plan) -> dict[str, Any] | None:
    """The chip that the sweep starts from and what it has along the axes; none where the chip itself is an axis."""
    if any(axis.key == "hardware" for axis in asked.axes):
        return None
    values = {}
    for axis in asked.axes:
        group, _, key = axis.key.partition(".")
        if isinstance(settings.get(group), Mapping) and isinstance(settings[group].get(key), (int, float)):
            values[axis.key] = settings[group][key]
    return {"name": settings["hardware"]["name"], "values": values}


def _sorted_axes(asked: Plan, settings: Mapping[str, Any], shared: set[str]) -> (
        tuple[list[SweptKey], list[SweptKey]]):
    """Axes that are slots of the compiled model, and those that need a configuration of their own for each value.

    A key in `shared` sets other values too, through an interpolation, so a slot would not be enough.
    """
    places = slots(settings)
    numbers = [axis for axis in asked.axes if axis.key in places and axis.key.rpartition(".")[2] not in shared
               and all(isinstance(value, (int, float)) for value in axis.values)]
    return numbers, [axis for axis in asked.axes if axis not in numbers]


def _compositions(configurations: Configurations, asked: Plan, numeric: Sequence[SweptKey],
                  other: Sequence[SweptKey], first: dict[str, Any]) -> Iterator[Composed]:
    start = [axis.overrides[0] for axis in numeric]
    count, line = math.prod(len(axis.values) for axis in other), ProgressLine("configurations composed")
    if count * configurations.longest_s > LONGEST_S:
        raise InputError(f"the sweep has {count:,} combinations of what is not a number, which take about "
                         f"{duration(count * configurations.longest_s)} to compose, and at most {duration(LONGEST_S)} "
                         f"are begun: take fewer values (largest: {asked.widest})")
    for number, choice in enumerate(itertools.product(*(range(len(axis.values)) for axis in other))):
        line.tell(number / count)
        chosen = [axis.overrides[place] for axis, place in zip(other, choice, strict=True)]
        labels = {axis.key: axis.values[place] for axis, place in zip(other, choice, strict=True)}
        settings = first if not any(choice) else plain(configurations.under([*start, *chosen]))
        yield Composed(labels, groups(settings, _overridden(asked)))
    line.clear()


def _overridden(asked: Plan) -> list[str]:
    return [*(text.partition("=")[0] for text in asked.fixed), *(axis.key for axis in asked.axes)]


def _parts(one: Composed, numeric: Sequence[SweptKey], asked: Plan) -> Iterator[Part]:
    chosen = case(one.settings)
    places = slots(one.settings)
    for axis in numeric:
        if axis.key not in places:
            raise InputError(f"{axis.key} is not a number of this configuration "
                             f"({', '.join(f'{key}={value}' for key, value in one.labels.items())})")
    axes = tuple(Axis(places[axis.key].index, tuple(places[axis.key].si(value) for value in axis.values))
                 for axis in numeric)
    values = {axis.key: axis.values for axis in numeric}
    if _has_technique(asked):
        yield Part(one.labels, values, Grid(row(chosen), axes))
        return
    off = row(chosen._replace(setting=chosen.setting._replace(technique=OFF)))
    yield Part({**one.labels, TECHNIQUE: NONE}, values, Grid(off, _without_technique(axes, off)))
    if one.settings[TECHNIQUE]["name"] != NONE:
        yield Part({**one.labels, TECHNIQUE: one.settings[TECHNIQUE]["name"]}, values, Grid(row(chosen), axes))


def _without_technique(axes: Sequence[Axis], off: tuple[float, ...]) -> tuple[Axis, ...]:
    """The same axes; along a technique's own parameters nothing changes where there is no technique."""
    own = {place for place, path in enumerate(paths()) if path.startswith("setting.technique.")}
    return tuple(Axis(axis.index, (off[axis.index],) * len(axis.values)) if axis.index in own else axis
                 for axis in axes)


def _has_technique(asked: Plan) -> bool:
    return any(axis.key == TECHNIQUE for axis in asked.axes)

"""The verb `explain`: what stands behind a number of the bill.

usage: dse explain NUMBER [OVERRIDE ...] [--config-dir DIR]

The chain behind a number of a design's bill: its equation, each number and hardware key that enters it, each constant
with low, base, high, unit, mark, date and source. Without NUMBER: the names of all numbers, with their values. Power
and running cost are those with the technique of the command.

  NUMBER                 a number of the bill, as die_usd, area.l2, items.hbm, die_yield, group_usd
  OVERRIDE               the design, as in dse evaluate

examples:
  dse explain die_usd hardware=h100
  dse explain area.l2 hardware.l2_mib=104
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dse.cli.hydra_run import groups, overridden, plain
from dse.cli.hydra_run import run as run_under_hydra
from dse.cli.report import columns

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from dse.cost.explain import Step

WIDTH = 118
OF_SERVICE = ("device_power_w", "usd_per_hour", "usd_per_million_tokens")  # numbers that follow from what is served


def run(arguments: Sequence[str]) -> int:
    """Prints the chain behind the number that the first plain word names; exit status 0."""
    words = [argument for argument in arguments if "=" not in argument and not argument.startswith(("-", "+", "~"))]
    number = words[0] if words and arguments[0] == words[0] else None
    rest = list(arguments[1:] if number else arguments)

    def task(config: DictConfig) -> None:
        print(explanation(groups(plain(config), overridden()), number))

    run_under_hydra(task, rest)
    return 0


def explanation(settings: dict[str, Any], number: str | None) -> str:
    """The chain behind `number` for the design of a configuration, or every number of its bill."""
    from dse.case import case
    from dse.cost.bill import bill
    from dse.cost.equations import EQUATIONS
    from dse.cost.explain import bill_numbers, explain
    from dse.evaluation import dollars
    from dse.objective import devices, metrics

    chosen = case(settings)
    served = metrics(chosen)._asdict()
    values = {**bill_numbers(bill(chosen.setting.device, devices(chosen.setting), chosen.cost)),
              **{name: served[name] for name in OF_SERVICE}}
    said = f"USD: {dollars(settings['cost'])}"
    if number is None:
        rows = ((name, f"{values[name]:,.6g}", equation.unit) for name, equation in EQUATIONS.items())
        return f"{columns([('number of the bill', 'value', 'unit'), *rows])}\n\n{said}"
    steps = explain(number, values, settings["cost"])
    return "\n\n".join([*("\n".join(_lines(step, settings)) for step in steps), said])


def _lines(step: Step, settings: dict[str, Any]) -> Iterator[str]:
    value = "" if step.value is None else f" = {step.value:,.6g} {step.unit}"
    yield f"{step.name}{value}"
    yield from textwrap.wrap(step.equation, WIDTH, initial_indent="  = ", subsequent_indent="    ")
    if step.numbers:
        yield f"    from {', '.join(step.numbers)}"
    for key in step.hardware:
        group, _, name = key.partition(".")
        yield f"    {key} = {settings[group][name]}"
    for key, chosen in step.settings:
        yield f"    {key} = {chosen}"
    for key, constant in step.constants:
        yield (f"    {key} = {constant.base:g} [{constant.low:g}, {constant.high:g}] {constant.unit}, "
               f"{constant.mark} {constant.date}".rstrip())
        yield from textwrap.wrap(constant.source, WIDTH, initial_indent="        ", subsequent_indent="        ",
                                 break_long_words=False, break_on_hyphens=False)

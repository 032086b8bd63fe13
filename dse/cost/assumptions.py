"""All assumptions of the cost model in one record, read from the group `cost`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.cost.cache import L2, L2_TABLE
from dse.cost.core import CORE, Core
from dse.cost.link import LINK, Link
from dse.cost.memory import MEMORY, Memory
from dse.cost.ownership import OWNERSHIP, Ownership
from dse.cost.package import PACKAGE, Package
from dse.cost.process import PROCESS, Process
from dse.cost.system import SYSTEM, System
from dse.cost.wafer import DIE_YIELD, YIELD_LAWS, DieYield
from dse.errors import InputError
from dse.fields import Table


class CostAssumptions(NamedTuple):
    """One record a sub-group of `cost`, SI units; mm2 and USD as named."""

    process: Process
    memory: Memory
    core: Core
    l2: L2
    link: Link
    package: Package
    die_yield: DieYield
    system: System
    ownership: Ownership


COST_TABLES: tuple[Table, ...] = (PROCESS, MEMORY, CORE, L2_TABLE, LINK, PACKAGE, DIE_YIELD, SYSTEM, OWNERSHIP)


def cost_assumptions(raw: Mapping[str, Any]) -> CostAssumptions:
    """The assumptions that the group `cost` of a configuration describes; InputError where it is not complete."""
    groups = CostAssumptions._fields
    for key in raw:
        if key not in groups:
            raise InputError(f"cost.{key} is unknown: cost has {', '.join(groups)}")
    return CostAssumptions(*(table.read(_group(raw, name)) for name, table in zip(groups, COST_TABLES, strict=True)))


def _group(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = raw.get(name)
    if not isinstance(group, Mapping):
        raise InputError(f"cost.{name}={group!r} is not allowed: choose an option of cost/{name}")
    if name != "die_yield":
        return group
    law = group.get("law")
    if law not in YIELD_LAWS:
        raise InputError(f"cost.die_yield.law={law} is not allowed: choose one of {', '.join(YIELD_LAWS)}")
    words = dict(group)
    words["law"] = YIELD_LAWS.index(law)
    return words

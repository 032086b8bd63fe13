"""Cases for the tests of the grid: shipped ones, and random ones for the properties."""

from __future__ import annotations

from typing import Any

import yaml
from builders import CONF, option, setting
from designs import settings_of, spread, whole
from hypothesis import strategies as st

from dse.case import paths, row
from dse.cost.assumptions import CostAssumptions, cost_assumptions
from dse.objective import Case

SLOTS = {path: place for place, path in enumerate(paths())}
L2, HBM_BANDWIDTH, LINK = (SLOTS[f"setting.device.{name}"]
                           for name in ("l2_bytes", "hbm_bytes_per_s", "link_bytes_per_s"))
HBM, CORES = SLOTS["setting.device.hbm_bytes"], SLOTS["setting.device.cores"]
TENSOR_PARALLEL, PIPELINE_PARALLEL = (SLOTS[f"setting.parallelism.{name}"]
                                      for name in ("tensor_parallel", "pipeline_parallel"))
BATCH = SLOTS["setting.traffic.batch"]


def cost_of(hardware: str) -> CostAssumptions:
    """The assumptions that a chip's file picks, and the first option of the groups that it leaves open."""
    picked: dict[str, Any] = {}
    for group in CostAssumptions._fields:
        first = sorted((CONF / "cost" / group).glob("*.yaml"))[0]
        picked[group] = option(f"cost/{group}", first.stem)
    raw = yaml.safe_load((CONF / "hardware" / f"{hardware}.yaml").read_text(encoding="utf-8"))
    for entry in raw["defaults"]:
        for key, value in entry.items() if isinstance(entry, dict) else ():
            if key.startswith("/cost/"):
                group = key.removeprefix("/cost/").partition("@")[0]
                picked[group] = option(f"cost/{group}", value)
    return cost_assumptions(picked)


def case(hardware: str = "ascend_910b", **choices: Any) -> Case:
    """A case of shipped parts; the choices are those of `builders.setting`."""
    return Case(setting(hardware, **choices), cost_of(hardware))


def base_row(hardware: str = "ascend_910b", **choices: Any) -> tuple[float, ...]:
    """The flat row of `case`."""
    return row(case(hardware, **choices))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any device, style, model, traffic, technique and parallelism, with costs of a shipped chip scaled at random."""
    at = draw(settings_of(most_parts=16, most_stages=4))
    spared = at.device._replace(spare_cores=draw(whole(0, 20)), spare_l2_share=draw(st.sampled_from((0.0, 0.2, 0.5))),
                                spare_hbm_sites=draw(whole(0, 2)))
    batch = draw(st.sampled_from((at.traffic.batch, float("inf"))))
    cost = cost_of(draw(st.sampled_from(("a100", "h100", "ascend_910b"))))
    process = cost.process._replace(wafer_usd=draw(spread(2e3, 4e4)), defects_per_mm2=draw(spread(1e-4, 1e-2)))
    dies = cost.die_yield._replace(law=draw(whole(0, 3)), alpha=draw(spread(1.0, 10.0)))
    return Case(at._replace(device=spared, traffic=at.traffic._replace(batch=batch)),
                cost._replace(process=process, die_yield=dies))

"""Chips of public data sheets and the shipped cost options that go with them, for the tests of the cost model."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dse.cost.assumptions import COST_TABLES, CostAssumptions, cost_assumptions
from dse.hardware import FULL_MESH, SWITCH, TORUS, Accelerator
from dse.units import GIGA, MEBI

CONF = Path(__file__).resolve().parents[2] / "conf" / "cost"
GROUPS = CostAssumptions._fields
TABLES = dict(zip(GROUPS, COST_TABLES, strict=True))


def _chip(cores: float, spare: float, ghz: float, matrix: float, vector: float, l2_mib: float, l2_share: float,
          l2_gb_per_s: float, hbm_gb: float, hbm_gb_per_s: float, sites: float, link_gb_per_s: float, topology: float,
          tdp_w: float) -> Accelerator:
    return Accelerator(cores, spare, ghz * GIGA, matrix, vector, l2_mib * MEBI, l2_share, l2_gb_per_s * GIGA,
                       hbm_gb * GIGA, hbm_gb_per_s * GIGA, sites, link_gb_per_s * GIGA, 1e-6, 8.0, topology, 0.0, tdp_w)


# Vendors count links in both directions (A100 600 GB/s); link_gb_per_s is one. L2 width: 5,120 byte/cycle on A100 and
# H100, 4,096 on MI210. Spare L2: 48 of 40 MiB on A100, 60 of 50 on H100. MI210 has eight links of 50 GB/s on its die.
A100 = _chip(108, 20, 1.41, 2048, 128, 40, 0.2, 7219.2, 80, 2039, 1, 300, SWITCH, 400)
H100 = _chip(132, 12, 1.83, 4096, 256, 50, 0.2, 9369.6, 80, 3350, 1, 450, SWITCH, 700)
H200 = H100._replace(hbm_bytes=141 * GIGA, hbm_bytes_per_s=4800 * GIGA, spare_hbm_sites=0.0)
MI210 = _chip(104, 8, 1.7, 1024, 256, 8, 0.0, 6963.2, 64, 1638, 0, 400, FULL_MESH, 300)
ASCEND_910 = _chip(32, 0, 1.0, 8192, 256, 32, 0.0, 4000, 32, 1228, 0, 90, FULL_MESH, 310)
ASCEND_910B = _chip(24, 1, 1.85, 8192, 256, 192, 0.0, 7000, 64, 1600, 0, 196, FULL_MESH, 400)
TPU_V4 = _chip(2, 0, 1.05, 131072, 4096, 128, 0.0, 10000, 32, 1200, 0, 270, TORUS, 192)
# Two dies; 148 of 160 cores, 2,250 TFLOP/s dense; the L2 on the die is not published, 126 MiB are enabled.
B200 = _chip(148, 12, 1.855, 8192, 256, 126, 0.0, 18995, 192, 8000, 0, 900, SWITCH, 1000)

OPTIONS = {
    A100: {"process": "n7", "memory": "hbm2e", "link": "nvlink3"},
    H100: {"process": "n4", "memory": "hbm3", "link": "nvlink4"},
    H200: {"process": "n4", "memory": "hbm3e", "link": "nvlink4"},
    B200: {"process": "n4", "memory": "hbm3e", "link": "nvlink4"},
    MI210: {"process": "n6", "memory": "hbm2e", "link": "serdes"},
    ASCEND_910: {"process": "n7_plus", "memory": "hbm2", "core": "npu", "l2": "slab", "link": "serdes"},
    ASCEND_910B: {"process": "smic_n7", "memory": "hbm2e", "core": "npu", "l2": "slab", "link": "serdes"},
    TPU_V4: {"process": "n7", "memory": "hbm2", "core": "npu", "l2": "slab", "link": "serdes"},
}
DEFAULTS = {"core": "gpu", "l2": "gpu_like", "package": "interposer", "die_yield": "negative_binomial",
            "system": "node", "ownership": "owned"}


@cache
def _loaded(group: str, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CONF / group / f"{name}.yaml").read_text(encoding="utf-8"))
    below: dict[str, Any] = {}
    for other in loaded.pop("defaults", []):
        if other != "_self_":
            below |= _loaded(group, other)
    return below | loaded


def raw_option(group: str, name: str) -> dict[str, Any]:
    """A shipped option as the plain mapping that a configuration holds, with what its defaults list brings."""
    return deepcopy(_loaded(group, name))


def raw_cost(device: Accelerator, **options: str) -> dict[str, dict[str, Any]]:
    """The group `cost` that goes with a chip, with other options where given."""
    names = {**DEFAULTS, **OPTIONS[device], **options}
    return {group: raw_option(group, names[group]) for group in GROUPS}


@cache
def cost_of(device: Accelerator, **options: str) -> CostAssumptions:
    """The base assumptions that go with a chip."""
    return cost_assumptions(raw_cost(device, **options))

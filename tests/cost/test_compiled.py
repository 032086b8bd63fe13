"""The bill compiled and inlined gives the same bits as plain Python on random designs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numba
import pytest
from cost.chips import A100, ASCEND_910B, H100, cost_of
from cost.compiled import compiled

from dse.cost.assumptions import CostAssumptions
from dse.cost.bill import bill
from dse.cost.wafer import YIELD_LAWS
from dse.hardware import Accelerator

DESIGNS = 1500


def flat(record: Any) -> list[float]:
    if not isinstance(record, tuple):
        return [float(record)]
    return [number for part in record for number in flat(part)]


def random_design(draw: random.Random) -> tuple[Accelerator, float, CostAssumptions]:
    chip = draw.choice([A100, H100, ASCEND_910B])
    scaled = Accelerator(*(value * draw.uniform(0.3, 3.0) for value in chip))
    whole = {"cores": float(draw.randint(1, 300)), "spare_cores": float(draw.randint(0, 40)),
             "spare_hbm_sites": float(draw.randint(0, 3)), "topology": float(draw.randint(0, 2)),
             "spare_l2_share": draw.choice([0.0, 0.2, draw.random()])}
    base = cost_of(chip)
    dies = base.die_yield._replace(law=float(draw.randrange(len(YIELD_LAWS))), alpha=draw.uniform(1.0, 20.0))
    wafer = base.process._replace(defects_per_mm2=draw.uniform(0.0, 0.005), wafer_usd=draw.uniform(3e3, 3e4))
    package = cost_of(chip, package=draw.choice(["interposer", "organic", "bridge"])).package
    package = package._replace(compute_dies=float(draw.randint(1, 4)), io_dies=float(draw.randint(0, 2)),
                               stacked_l2_share=draw.choice([0.0, 0.0, 1.0, draw.random()]))
    system = base.system._replace(volume_devices=draw.choice([0.0, 1e5]))
    cost = base._replace(die_yield=dies, process=wafer, package=package, system=system)
    return scaled._replace(**whole), float(draw.randint(1, 8)), cost


@pytest.fixture(scope="module")
def kernel() -> Callable[..., Any]:
    inner = compiled(bill)

    @numba.njit(error_model="numpy")
    def outer(device: Any, devices: Any, assumptions: Any) -> Any:
        return inner(device, devices, assumptions)

    return outer


def test_same_bits_as_plain_python(kernel: Callable[..., Any]) -> None:
    draw = random.Random(1)
    for _ in range(DESIGNS):
        design = random_design(draw)
        assert flat(kernel(*design)) == flat(bill(*design))

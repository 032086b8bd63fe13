"""The designs that are measured: a shipped configuration, and axes around it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dse.case import case, paths, row
from dse.grid.front import Objective
from dse.grid.grid import Axis, Grid

CONF = Path(__file__).resolve().parent.parent / "conf"
SLOTS = {path: place for place, path in enumerate(paths())}
DEVICE = "setting.device."
GRID_SLOTS = tuple(SLOTS[path] for path in (
    DEVICE + "hbm_bytes_per_s", DEVICE + "link_bytes_per_s", DEVICE + "l2_bytes", DEVICE + "cores",
    "setting.parallelism.tensor_parallel"))
INDEPENDENT_SLOTS = (*GRID_SLOTS, *(SLOTS[path] for path in (
    DEVICE + "hbm_bytes", DEVICE + "clock_hz", "setting.traffic.batch", "setting.traffic.prompt_tokens")))
BEST = (Objective("tokens_per_s_per_usd", True),)
TWO = (Objective("throughput_tokens_per_s", True), Objective("group_usd"))
THREE = (Objective("ttft_s"), Objective("tpot_s"), Objective("device_usd"))


@cache
def base_row() -> tuple[float, ...]:
    """The row of the default configuration."""
    from hydra import compose, initialize_config_dir

    from dse.cli.hydra_run import groups, plain

    with initialize_config_dir(str(CONF), version_base="1.3"):
        return row(case(groups(plain(compose("config")), [])))


def grid_of(shape: tuple[int, ...]) -> Grid:
    """A grid on GRID_SLOTS: HBM bandwidth, link bandwidth, L2, cores, tensor parallelism."""
    base = base_row()
    bandwidths = [np.linspace(0.3, 2.0, count) * base[slot] for slot, count in zip(GRID_SLOTS[:3], shape, strict=False)]
    cores = np.linspace(8, 8 + 4 * shape[3], shape[3]).astype(int)
    values = [*bandwidths, cores, 2.0 ** np.arange(shape[4])]
    return Grid(base, tuple(Axis(slot, tuple(float(value) for value in one))
                            for slot, one in zip(GRID_SLOTS, values, strict=True)))


def independent(count: int) -> npt.NDArray[np.float64]:
    """Values of INDEPENDENT_SLOTS for designs without order."""
    draw, base = np.random.default_rng(1), base_row()
    values = np.array([base[slot] * draw.uniform(0.5, 2.0, count) for slot in INDEPENDENT_SLOTS])
    whole = {DEVICE + "cores": (8, 160), "setting.traffic.batch": (1, 64),
             "setting.traffic.prompt_tokens": (128, 16384)}
    for path, (low, high) in whole.items():
        values[INDEPENDENT_SLOTS.index(SLOTS[path])] = draw.integers(low, high, count)
    values[INDEPENDENT_SLOTS.index(SLOTS["setting.parallelism.tensor_parallel"])] = 2.0 ** draw.integers(0, 4, count)
    return values

"""What a manufacturing process costs and how dense it is, beside TSMC N7."""

from __future__ import annotations

from typing import NamedTuple

from dse.fields import Field, Table
from dse.units import MM2_PER_CM2


class Process(NamedTuple):
    """A wafer's price and defects, factors that carry areas and energies from N7 to this node, cost of a design."""

    wafer_usd: float
    defects_per_mm2: float
    logic_area: float
    sram_area: float
    energy: float
    mask_set_usd: float
    design_usd_per_mm2: float


PROCESS = Table(
    "cost.process",
    Process,
    (
        Field("wafer_usd", "wafer_usd", "price of a 300 mm wafer", constant=True, unit="USD/wafer"),
        Field("defects_per_cm2", "defects_per_mm2", "defect density", 1.0 / MM2_PER_CM2, closed=True, constant=True,
              unit="1/cm2"),
        Field("logic_area", "logic_area", "area of logic beside N7", constant=True, unit="x N7"),
        Field("sram_area", "sram_area", "area of SRAM beside N7", constant=True, unit="x N7"),
        Field("energy", "energy", "energy of an operation beside N7", constant=True, unit="x N7"),
        Field("mask_set_usd", "mask_set_usd", "masks of a design", closed=True, constant=True, unit="USD/design"),
        Field("design_usd_per_mm2", "design_usd_per_mm2", "design of a die, by its area", closed=True, constant=True,
              unit="USD/mm2"),
    ),
    choices=("name",),
).checked()

"""Silicon and dollars: die areas, their blocks, yields by law and with harvesting, dies of a wafer, bills."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from dse.cost.bill import Bill, bill
from dse.cost.die_yield import enough_share, perfect_share
from dse.cost.wafer import MURPHY, NEGATIVE_BINOMIAL, POISSON, SEEDS, dies_per_wafer
from dse.objective import Case
from dse.validation.figure import CONSISTENCY, FITTED, HELD_OUT, Figure

AREA, BLOCKS, OTHERS = "Die area", "Blocks of a die", "Die area of chips that set the density of a node"
YIELD, WAFER = "Die yield of 826 mm2 at 0.09 defects per cm2", "Dies of a wafer and harvesting"
BILL, ITEMS = "Bill of a module: die, HBM, package, test", "Bill of a module by item"
A100_MM2, A100_CORES_MM2, A100_CORE_MM2, H100_MM2 = 826.0, 476.25, 3.75, 814.0

PHOTO = "die photo, github PrincetonUniversity/LLMCompass, ae/figure6/real_hardware/die_area.csv"
DENSITY = "TechPowerUp; its transistors per mm2 are in the factor of its node"
BYTEFEED = "die photo (bytefeed.ai, hardwareluxx.de)"
ASCEND_910 = ("hardware=ascend_910b", "hardware.cores=32", "hardware.spare_cores=0", "hardware.clock_ghz=1.0",
              "hardware.l2_mib=32", "hardware.l2_gb_per_s=4000", "hardware.hbm_gb=32", "hardware.hbm_gb_per_s=1228",
              "hardware.link_gb_per_s=90", "cost/process=n7_plus", "cost/memory=hbm2")
MI210 = ("hardware=a100", "hardware.cores=104", "hardware.spare_cores=8", "hardware.clock_ghz=1.7",
         "hardware.matrix_flops_per_cycle=1024", "hardware.vector_flops_per_cycle=256", "hardware.l2_mib=8",
         "hardware.spare_l2_share=0", "hardware.l2_gb_per_s=6963.2", "hardware.hbm_gb=64",
         "hardware.hbm_gb_per_s=1638", "hardware.spare_hbm_sites=0", "hardware.link_gb_per_s=400", "cost/process=n6",
         "cost/link=serdes")
MI100 = (*MI210[:1], "hardware.cores=120", *MI210[2:3], "hardware.clock_ghz=1.502", MI210[4],
         "hardware.vector_flops_per_cycle=128", *MI210[6:8], "hardware.l2_gb_per_s=3076", "hardware.hbm_gb=32",
         "hardware.hbm_gb_per_s=1228", MI210[11], "hardware.link_gb_per_s=138", "cost/process=n7", "cost/memory=hbm2",
         "cost/link=serdes")
V100 = ("hardware=a100", "hardware.cores=80", "hardware.spare_cores=4", "hardware.clock_ghz=1.53",
        "hardware.matrix_flops_per_cycle=1024", "hardware.l2_mib=6", "hardware.spare_l2_share=0",
        "hardware.l2_gb_per_s=3133", "hardware.hbm_gb=32", "hardware.hbm_gb_per_s=900", "hardware.spare_hbm_sites=0",
        "hardware.link_gb_per_s=150", "cost/process=n16", "cost/memory=hbm2")
B200 = ("hardware=b200", "cost.process.wafer_usd=19000")  # the wafer of the bill's year

DIES: tuple[tuple[str, tuple[str, ...], float, str, float, str], ...] = (
    ("a100", ("hardware=a100",), A100_MM2, FITTED, 0.02, "NVIDIA A100 whitepaper (2020)"),
    ("MI210", MI210, 724.0, FITTED, 0.18, "AMD, TechPowerUp; its HBM and link blocks are not used"),
    ("h100", ("hardware=h100",), H100_MM2, HELD_OUT, 0.10, "NVIDIA H100 whitepaper (2022)"),
    ("h200", ("hardware=h200",), H100_MM2, HELD_OUT, 0.10, "the die of H100"),
    ("Ascend 910", ASCEND_910, 456.25, HELD_OUT, 0.10, BYTEFEED),
    ("ascend_910b", ("hardware=ascend_910b",), 665.61, HELD_OUT, 0.10, BYTEFEED))
DENSITIES = (("MI100", MI100, 750.0, 0.26), ("V100", V100, 815.0, 0.22))
PHOTOS: Mapping[str, tuple[tuple[str, ...], float, Mapping[str, float]]] = {
    "A100": (("hardware=a100",), 0.26, {"cores": A100_CORES_MM2, "network_on_chip": 76.44, "l2": 119.31,
                                        "hbm_phy": 58.0, "hbm_controller": 31.77, "link_phy": 20.95}),
    "MI210": (MI210, 0.76, {"cores": 446.22, "network_on_chip": 33.0, "l2": 25.2, "hbm_phy": 83.26,
                            "hbm_controller": 40.83, "link_phy": 45.52, "link_controller": 42.0})}
LAWS = (("Poisson", POISSON, 10.0, 0.475), ("Murphy", MURPHY, 10.0, 0.498), ("Seeds", SEEDS, 10.0, 0.574),
        ("negative binomial, alpha 10", NEGATIVE_BINOMIAL, 10.0, 0.488),
        ("negative binomial, alpha 3", NEGATIVE_BINOMIAL, 3.0, 0.515))
BILLS = (("h100", ("hardware=h100",), 3320.0, FITTED, 0.03), ("h200", ("hardware=h200",), 4800.0, HELD_OUT, 0.10),
         ("b200", B200, 6400.0, HELD_OUT, 0.05))
H100_ITEMS = (("die", 300.0, 0.10), ("hbm", 1350.0, 0.02), ("package", 750.0, 0.05), ("test", 920.0, 0.02))
B200_ITEMS = (("die", 900.0, 0.18), ("hbm", 2900.0, 0.02), ("package", 1100.0, 0.10))

NOTES = {
    BLOCKS: "Blocks err by more than totals, and that a total agrees does not mean that its parts do: in the NPU style "
            "the cores are too large and what is neither core nor memory is too small (see the page on cost).",
    BILL: "Test and assembly is a share of the parts, fitted to H100's bill alone. That it is a share, not one price "
          "for every module, was chosen after one price, 920 USD, had missed the other bills (h200 -14 %, b200 -12 %, "
          "tpu_v4 +33 %): no constant was fitted to them, but they are no longer untouched. TPU v4's is an estimate of "
          "another model, 90 % interval 1,100 to 1,500 USD. The wafer of b200 is priced as in 2025.",
}


def silicon_figures() -> Iterator[Figure]:
    """All of them."""
    for name, overrides, published, kind, tolerance, source in DIES:
        yield Figure(AREA, name, published, "mm2", kind, tolerance, source, overrides, _die_mm2)
    for name, overrides, published, tolerance in DENSITIES:
        yield Figure(OTHERS, name, published, "mm2", FITTED, tolerance, DENSITY, overrides, _die_mm2)
    for chip, (overrides, tolerance, blocks) in PHOTOS.items():
        for block, published in blocks.items():
            yield Figure(BLOCKS, f"{chip}, {block.replace('_', ' ')}", published, "mm2", FITTED, tolerance, PHOTO,
                         overrides, _block_mm2(block))
    yield Figure(BLOCKS, "Ascend 910, cores", 182.4, "mm2", HELD_OUT, 0.65, "Huawei, Hot Chips 31 (2019), 7+ nm",
                 ASCEND_910, _block_mm2("cores"))
    yield from _yields()
    yield from _bills()


def _yields() -> Iterator[Figure]:
    at_a100, at_h100 = ("hardware=a100",), ("hardware=h100",)
    for name, law, alpha, published in LAWS:
        yield Figure(YIELD, name, published, "share", HELD_OUT, 0.005, "by hand, from the laws' equations", at_a100,
                     _perfect(A100_MM2, 0.09, law, alpha))
    by_hand = "by hand, from binomial and negative binomial"
    yield Figure(WAFER, "dies of 826 mm2, gross", 57.0, "dies", HELD_OUT, 0.0175, "A100, gross, within one",
                 at_a100, lambda of: dies_per_wafer(A100_MM2, of.cost.die_yield))
    yield Figure(WAFER, "108 of 128 cores of 3.75 mm2 on 826 mm2 at 0.09", 0.73, "share", HELD_OUT, 0.0136, by_hand,
                 at_a100, _harvest(A100_MM2, 0.09, 128.0, 20.0, A100_CORE_MM2))
    yield Figure(WAFER, "no core to spare on 826 mm2 at 0.09", 0.48, "share", HELD_OUT, 0.0208, by_hand, at_a100,
                 _perfect(A100_MM2, 0.09, NEGATIVE_BINOMIAL, 10.0))
    cores_mm2 = H100_MM2 * A100_CORES_MM2 / A100_MM2  # the share of the die that they take on A100's photo
    yield Figure(WAFER, "132 of 144 cores on 814 mm2 at 0.11", 0.69, "share", HELD_OUT, 0.0144, by_hand, at_h100,
                 _harvest(H100_MM2, 0.11, 144.0, 12.0, cores_mm2 / 144.0))
    yield Figure(WAFER, "no core to spare on 814 mm2 at 0.11", 0.42, "share", HELD_OUT, 0.0238, by_hand, at_h100,
                 _perfect(H100_MM2, 0.11, NEGATIVE_BINOMIAL, 10.0))


def _bills() -> Iterator[Figure]:
    bills = {"h100": "Raymond James (2023)", "h200": "siliconanalysts.com (2026), estimate",
             "b200": "Epoch AI (2025), 5,700 to 7,300"}
    for name, overrides, published, kind, tolerance in BILLS:
        yield Figure(BILL, name, published, "USD", kind, tolerance, bills[name], overrides, _module_usd)
    yield Figure(BILL, "tpu_v4", 1300.0, "USD", CONSISTENCY, None, "Epoch AI (2026), middle of 1,100 to 1,500",
                 ("hardware=tpu_v4",), _module_usd)
    for item, published, tolerance in H100_ITEMS:
        kind = HELD_OUT if item == "die" else FITTED
        yield Figure(ITEMS, f"h100, {item}", published, "USD", kind, tolerance, "itemised bill of 2023, estimate",
                     ("hardware=h100",), _item_usd(item))
    for item, published, tolerance in B200_ITEMS:
        yield Figure(ITEMS, f"b200, {item}", published, "USD", HELD_OUT, tolerance, "Epoch AI (2025)", B200,
                     _item_usd(item))


def _bill(of: Case) -> Bill:
    return bill(of.setting.device, 1.0, of.cost)


def _die_mm2(of: Case) -> float:
    return _bill(of).area.die_mm2


def _block_mm2(block: str) -> Callable[[Case], float]:
    return lambda of: float(getattr(_bill(of).area, block))


def _module_usd(of: Case) -> float:
    items = _bill(of).items
    return items.die + items.hbm + items.package + items.test


def _item_usd(item: str) -> Callable[[Case], float]:
    return lambda of: float(getattr(_bill(of).items, item))


def _perfect(area_mm2: float, defects_per_cm2: float, law: float, alpha: float) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        process = of.cost.process._replace(defects_per_mm2=defects_per_cm2 / 100.0)
        return perfect_share(area_mm2, process, of.cost.die_yield._replace(law=law, alpha=alpha))

    return ours


def _harvest(area_mm2: float, defects_per_cm2: float, cores: float, spares: float, core_mm2: float) -> (
        Callable[[Case], float]):
    def ours(of: Case) -> float:
        process = of.cost.process._replace(defects_per_mm2=defects_per_cm2 / 100.0)
        dies = of.cost.die_yield._replace(law=NEGATIVE_BINOMIAL, alpha=10.0)
        left_mm2 = area_mm2 - cores * core_mm2
        return perfect_share(left_mm2, process, dies) * enough_share(cores, spares, core_mm2, process, dies)

    return ours

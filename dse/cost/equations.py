"""The equations of the bill in words, with what enters each: a test holds them to what the model does."""

from __future__ import annotations

from typing import NamedTuple


class Equation(NamedTuple):
    """How a number is worked out: from other numbers, keys of `hardware`, and keys of `cost`."""

    unit: str
    text: str
    numbers: tuple[str, ...]
    hardware: tuple[str, ...]
    assumptions: tuple[str, ...]


def _equation(unit: str, text: str, numbers: str = "", hardware: str = "", cost: str = "") -> Equation:
    """`cost` lists groups with their keys: "process: wafer_usd energy; l2: slices"."""
    keys = []
    for group in filter(None, (part.strip() for part in cost.split(";"))):
        name, words = group.split(":")
        keys += [f"cost.{name}.{word}" for word in words.split()]
    return Equation(unit, text, tuple(numbers.split()), tuple(hardware.split()), tuple(keys))


_LAW = "die_yield: law alpha"
_CUT = "die_yield: wafer_mm edge_mm scribe_mm aspect"
_SIDE = "package: side_wafer_usd side_defects_per_cm2 known_good_test_share; die_yield: test_share"
_LINK_AREA = "area.link_phy area.link_controller area.host_interface"
_SHARES = "core: network_share other_share"

EQUATIONS: dict[str, Equation] = {
    "area.cores": _equation(
        "mm2",
        "(cores + spare cores) x ((matrix FLOP/cycle x its area + vector FLOP/cycle x its area) x logic_area"
        " + local memory x its area x sram_area)",
        hardware="cores spare_cores matrix_flops_per_cycle vector_flops_per_cycle",
        cost="core: matrix_mm2_per_flop vector_mm2_per_flop local_mib local_mm2_per_mib;"
             " process: logic_area sram_area"),
    "area.l2": _equation(
        "mm2",
        "(1 + spare share) x (MiB x mm2 per MiB x sram_area x share on the die + byte/cycle x its area x logic_area"
        " + MiB x stacked share x mm2 per MiB of a cache die)",
        hardware="l2_mib spare_l2_share l2_gb_per_s clock_ghz",
        cost="l2: mm2_per_mib mm2_per_byte_per_cycle; process: logic_area sram_area;"
             " package: stacked_l2_share cache_mm2_per_mib"),
    "hbm_stacks": _equation(
        "stacks", "the larger of bandwidth / bandwidth of a stack and capacity / capacity of a stack, rounded up",
        hardware="hbm_gb hbm_gb_per_s", cost="memory: stack_gb stack_gb_per_s"),
    "area.hbm_phy": _equation("mm2", "(stacks + spare sites) x PHY", "hbm_stacks", "spare_hbm_sites",
                              "memory: phy_mm2"),
    "area.hbm_controller": _equation("mm2", "(stacks + spare sites) x controller x logic_area", "hbm_stacks",
                                     "spare_hbm_sites", "memory: controller_mm2; process: logic_area"),
    "area.link_phy": _equation("mm2", "2 x link bandwidth one way x PHY", "", "link_gb_per_s",
                               "link: phy_mm2_per_gb_per_s"),
    "area.link_controller": _equation(
        "mm2", "2 x link bandwidth one way x controller x logic_area, that of the side process where it is on IO dies",
        "", "link_gb_per_s",
        "link: controller_mm2_per_gb_per_s; process: logic_area; package: io_dies side_logic_area"),
    "area.host_interface": _equation("mm2", "as given", cost="link: host_interface_mm2"),
    "area.die_to_die": _equation(
        "mm2",
        "area per byte/s x (headroom x 2 (N - 1) / N x HBM bandwidth over N compute dies, and, where there are IO dies,"
        " 2 x link bandwidth both ways)",
        "", "hbm_gb_per_s link_gb_per_s",
        "package: compute_dies io_dies die_to_die_headroom die_to_die_mm2_per_gb_per_s"),
    "area.network_on_chip": _equation(
        "mm2", "network share x blocks of compute and IO dies / (1 - network share - other share)",
        f"area.cores area.l2 area.hbm_phy area.hbm_controller {_LINK_AREA} area.die_to_die", "", _SHARES),
    "area.other": _equation(
        "mm2", "other share x blocks of compute and IO dies / (1 - network share - other share)",
        f"area.cores area.l2 area.hbm_phy area.hbm_controller {_LINK_AREA} area.die_to_die", "", _SHARES),
    "area.die_mm2": _equation(
        "mm2", "the sum of all blocks, over all dies of the device",
        f"area.cores area.l2 area.hbm_phy area.hbm_controller {_LINK_AREA} area.die_to_die area.network_on_chip"
        " area.other"),
    "compute_die_mm2": _equation(
        "mm2",
        "(cores + L2 that is not stacked + HBM + links and host interface unless on IO dies + die to die)"
        " / (1 - network share - other share) / compute dies",
        f"area.cores area.l2 area.hbm_phy area.hbm_controller {_LINK_AREA} area.die_to_die", "",
        f"package: compute_dies io_dies stacked_l2_share; {_SHARES}"),
    "die_yield": _equation(
        "share",
        "law(defects of the area without spares - ln P[enough cores] - ln P[enough L2 slices] - ln P[enough HBM sites])"
        " of a compute die",
        "area.cores area.l2 area.hbm_phy area.hbm_controller compute_die_mm2 hbm_stacks",
        "cores spare_cores spare_l2_share spare_hbm_sites",
        f"process: defects_per_cm2; l2: slices; {_LAW}"),
    "dies_per_wafer": _equation(
        "dies", "pi r^2 / a - 2 pi r / sqrt(2 a), r the wafer's radius less its edge, a a compute die and its scribe",
        "compute_die_mm2", "", _CUT),
    "dies.compute": _equation(
        "USD", "compute dies x wafer / (dies per wafer x yield) x (1 + test of a die)", "dies_per_wafer die_yield", "",
        "process: wafer_usd; package: compute_dies io_dies stacked_l2_share known_good_test_share;"
        " die_yield: test_share"),
    "dies.io": _equation(
        "USD", "IO dies x wafer / (dies per wafer x law(defects)) x (1 + test of a die), in the side process",
        f"{_LINK_AREA}", "link_gb_per_s",
        f"package: io_dies die_to_die_mm2_per_gb_per_s; {_SIDE}; {_LAW}; {_CUT}; {_SHARES}"),
    "dies.cache": _equation(
        "USD", "cache dies, one a compute die, x wafer / (dies per wafer x law(defects)) x (1 + test of a die)",
        "", "l2_mib spare_l2_share",
        f"package: stacked_l2_share compute_dies cache_mm2_per_mib; {_SIDE}; {_LAW}; {_CUT}"),
    "die_usd": _equation("USD", "compute + IO + cache dies", "dies.compute dies.io dies.cache"),
    "items.die": _equation("USD", "all dies of the device", "die_usd"),
    "items.hbm": _equation("USD", "the larger of capacity and stacks x smallest stack, x price", "hbm_stacks", "hbm_gb",
                           "memory: smallest_stack_gb usd_per_gb"),
    "items.package": _equation(
        "USD", "price x (dies side by side + sites x footprint) + sites x bridge + cache dies x bonding",
        f"compute_die_mm2 hbm_stacks {_LINK_AREA}", "spare_hbm_sites l2_mib spare_l2_share link_gb_per_s",
        "package: usd_per_mm2 hbm_bridge_usd bond_usd_per_mm2 compute_dies io_dies stacked_l2_share cache_mm2_per_mib"
        f" die_to_die_mm2_per_gb_per_s; memory: footprint_mm2; {_SHARES}"),
    "items.test": _equation(
        "USD", "(dies + HBM + package) x (share of test and assembly + 1 / bonding yield ^ dies after the first - 1)",
        "items.die items.hbm items.package", "",
        "package: test_share bonding_yield compute_dies io_dies stacked_l2_share"),
    "items.board": _equation("USD", "as given", cost="system: board_usd"),
    "items.host_share": _equation("USD", "as given", cost="system: host_usd"),
    "items.network": _equation(
        "USD", "2 x link bandwidth one way x (switches where the topology has them + cables beyond one server)",
        "", "link_gb_per_s topology domain_devices",
        "system: server_devices switch_usd_per_gb_per_s cable_usd_per_gb_per_s"),
    "items.nre": _equation(
        "USD", "(masks + design x area, of each kind of die) / volume; 0 without a volume",
        f"compute_die_mm2 {_LINK_AREA}", "l2_mib spare_l2_share link_gb_per_s",
        "process: mask_set_usd design_usd_per_mm2; package: side_mask_set_usd side_design_usd_per_mm2 compute_dies"
        f" io_dies stacked_l2_share cache_mm2_per_mib die_to_die_mm2_per_gb_per_s; {_SHARES};"
        " system: volume_devices"),
    "device_usd": _equation("USD", "dies + HBM + package + test and assembly + board",
                            "items.die items.hbm items.package items.test items.board"),
    "group_usd": _equation("USD", "devices x (device + host share + network share + share of the design)",
                           "device_usd items.host_share items.network items.nre"),
    "reticle": _equation(
        "share", "the larger of (largest die / exposure field) and (cache die / compute die), less 1; met where <= 0",
        f"compute_die_mm2 {_LINK_AREA}", "l2_mib spare_l2_share link_gb_per_s",
        "package: compute_dies io_dies stacked_l2_share cache_mm2_per_mib die_to_die_mm2_per_gb_per_s;"
        f" die_yield: reticle_mm2; {_SHARES}"),
    "shoreline": _equation(
        "share", "(stacks + spare sites) x edge of a site / (compute dies x sides x long edge) - 1; met where <= 0",
        "compute_die_mm2 hbm_stacks", "spare_hbm_sites",
        "package: compute_dies; memory: shoreline_mm; die_yield: aspect hbm_sides"),
    "device_power_w": _equation(
        "W", "(FLOPs, L2, HBM and link bytes x their energies) / time + idle share x thermal design power",
        "", "tdp_w",
        "core: pj_per_flop static_share; process: energy; l2: pj_per_bit; memory: pj_per_bit; link: pj_per_bit"),
    "usd_per_hour": _equation(
        "USD/h",
        "(group x price over cost x (1 / lifetime + opex) + power x data centre) / utilisation"
        " + power x PUE x electricity",
        "group_usd device_power_w", "",
        "ownership: price_over_cost lifetime_years utilisation usd_per_kwh pue datacenter_usd_per_w_year"
        " opex_share_per_year"),
    "usd_per_million_tokens": _equation("USD per million tokens", "10^6 x USD per hour / (3600 x tokens per second)",
                                        "usd_per_hour"),
}

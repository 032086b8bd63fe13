"""The shipped chips against the published dense peak, HBM and link figures, to 1 %."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from dse.errors import InputError
from dse.hardware import ACCELERATOR, TOPOLOGIES, Accelerator, accelerator, matrix_flops_per_s, vector_flops_per_s
from dse.workload import precision

FOLDER = Path(__file__).parents[1] / "conf"
CHIPS = sorted(path.stem for path in (FOLDER / "hardware").glob("*.yaml"))

# dense 16-bit TFLOP/s, HBM GB, HBM GB/s, link GB/s as the vendor counts it, directions in that count
PUBLISHED = {
    "a100": (312, 80, 2039, 600, 2),  # NVIDIA A100 data sheet, SXM4 80 GB
    "h100": (989.4, 80, 3350, 900, 2),  # NVIDIA H100 data sheet, SXM5
    "h200": (989.4, 141, 4800, 900, 2),  # NVIDIA H200 data sheet, SXM
    "b200": (2250, 192, 8000, 1800, 2),  # NVIDIA Blackwell data sheet (2024), HGX B200
    "tpu_v4": (275, 32, 1200, 540, 2),  # cloud.google.com/tpu/docs/v4; jax-ml/scaling-book: 6 links x 90 GB/s
    "ascend_910b": (364, 64, 1600, 392, 2),  # 24 cores x 8192 x 1.85 GHz; HCCS 7 x 56 GB/s, direction unclear
}
# int8 or fp8 TFLOP/s over the 16-bit figure
PUBLISHED_RATES = {("a100", "int8"): 624 / 312, ("a100", "int4"): 1248 / 312, ("h100", "fp8"): 1979 / 989.4,
                   ("h100", "int8"): 1979 / 989.4, ("h200", "fp8"): 1979 / 989.4, ("b200", "fp8"): 4500 / 2250,
                   ("b200", "int8"): 4500 / 2250, ("tpu_v4", "int8"): 275 / 275}


def option(name: str) -> dict[str, Any]:
    raw: Any = OmegaConf.to_container(OmegaConf.load(FOLDER / "hardware" / f"{name}.yaml"))
    return dict(raw)


def group(name: str) -> dict[str, Any]:
    return {key: value for key, value in option(name).items() if key != "defaults"}


def chip(name: str) -> Accelerator:
    return accelerator(group(name))


def test_the_chips_that_are_shipped() -> None:
    assert CHIPS == ["a100", "accelerator", "ascend_910b", "b200", "h100", "h200", "tpu_v4"]


@pytest.mark.parametrize("name", CHIPS)
def test_chip_names_itself_states_every_field_and_its_cost_style(name: str) -> None:
    raw = option(name)
    assert raw["name"] == name
    assert {field.key for field in ACCELERATOR.fields} <= set(raw)
    chosen = {key.split("@")[0] for entry in raw["defaults"] if isinstance(entry, dict) for key in entry}
    assert chosen == {"/latency", "/cost/process", "/cost/memory", "/cost/core", "/cost/l2", "/cost/link",
                      "/cost/package"}
    assert raw["defaults"][-1] == "_self_"


@pytest.mark.parametrize("name", CHIPS)
def test_each_number_of_a_chip_has_its_source_in_a_comment(name: str) -> None:
    keys = {field.key for field in ACCELERATOR.fields} - {"in_switch_reduction"}
    for line in (FOLDER / "hardware" / f"{name}.yaml").read_text().splitlines():
        if line.split(":")[0] in keys:
            assert "  # " in line, line


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_chip_meets_its_published_figures(name: str) -> None:
    tflops, hbm_gb, hbm_gb_per_s, link_gb_per_s, directions = PUBLISHED[name]
    device = chip(name)
    assert matrix_flops_per_s(device) == pytest.approx(tflops * 1e12, rel=0.01)
    assert device.hbm_bytes == pytest.approx(hbm_gb * 1e9, rel=0.01)
    assert device.hbm_bytes_per_s == pytest.approx(hbm_gb_per_s * 1e9, rel=0.01)
    assert device.link_bytes_per_s * directions == pytest.approx(link_gb_per_s * 1e9, rel=0.01)


def test_vector_peak_meets_the_published_fp32_figures() -> None:
    assert vector_flops_per_s(chip("a100")) == pytest.approx(19.5e12, rel=0.01)
    # 66.9 TFLOP/s at 1.98 GHz, the clock without tensor cores: 66.9 x 1.83 / 1.98 = 61.8
    assert vector_flops_per_s(chip("h100")) == pytest.approx(61.8e12, rel=0.01)


@pytest.mark.parametrize(("name", "form"), sorted(PUBLISHED_RATES))
def test_low_precision_rate_meets_the_published_one(name: str, form: str) -> None:
    assert group(name)["matrix_rate"][form] == pytest.approx(PUBLISHED_RATES[name, form], rel=0.01)


def test_l2_is_counted_in_mebibytes_and_spares_make_up_the_die() -> None:
    a100 = chip("a100")
    assert a100.l2_bytes == 41943040.0  # 40 x 2**20, as the driver reports it
    assert a100.cores + a100.spare_cores == 128.0
    assert a100.l2_bytes * (1.0 + a100.spare_l2_share) == pytest.approx(48 * 2**20)
    h100 = chip("h100")
    assert h100.cores + h100.spare_cores == 144.0
    assert h100.l2_bytes * (1.0 + h100.spare_l2_share) == pytest.approx(60 * 2**20)
    assert chip("ascend_910b").l2_bytes == 201326592.0  # l2_size of the platform file


@pytest.mark.parametrize("name", CHIPS)
def test_only_switches_with_sharp_add(name: str) -> None:
    wiring = {"ascend_910b": "full_mesh", "accelerator": "full_mesh", "tpu_v4": "torus"}
    device = chip(name)
    assert TOPOLOGIES[int(device.topology)] == wiring.get(name, "switch")
    assert device.in_switch_reduction == float(name in ("b200", "h100", "h200"))


@pytest.mark.parametrize("name", CHIPS)
def test_l2_is_faster_than_hbm(name: str) -> None:
    assert chip(name).l2_bytes_per_s > chip(name).hbm_bytes_per_s


def test_hbm_of_h200_is_the_only_difference_to_h100_that_counts_for_latency() -> None:
    h100 = chip("h100")
    same = h100._replace(hbm_bytes=141e9, hbm_bytes_per_s=4.8e12, spare_hbm_sites=0.0)
    assert chip("h200") == same


@pytest.mark.parametrize(("rates", "message"), [
    ({"int3": 2.0}, "some of fp32, bf16"),
    ("int8", "hardware.matrix_rate=int8 is not allowed"),
    ({"int8": -1.0}, "hardware.matrix_rate.int8=-1.0 is not allowed"),
    ({"int8": "fast"}, "hardware.matrix_rate.int8=fast is not allowed"),
    ({"fp8": 2.0}, "is not allowed on hardware a100: it multiplies in bf16, fp16, fp8"),
])
def test_bad_rate_is_named(rates: Any, message: str) -> None:
    int8 = {"weights": "int8", "activations": "int8", "kv_cache": "int8", "residual": "bf16"}
    with pytest.raises(InputError, match=message):
        precision(int8, rates, "a100")

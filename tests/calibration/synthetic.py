"""Tables as a user would bring them, made by the model itself for two chips with known constants."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

from builders import chip, style_of

from dse.calibration.predict import predicted_s
from dse.calibration.tables import ALL_REDUCE, DECODE_ATTENTION, GEMM, PROMPT_ATTENTION, Row
from dse.latency.style import LatencyStyle

DEVICES = {"a100_sxm": chip("a100"), "h100_sxm": chip("h100")}
TRUTH = style_of("h100")._replace(
    matmul_floor_s=4.2e-6, matmul_wave_s=0.8e-6, matmul_split_s=1.7e-6, attention_floor_s=10e-6,
    hbm_share=0.88, matmul_share=0.71, attention_share=0.45, unhidden_bytes=30e6, one_shot_startup_s=2.4e-6,
    one_shot_device_s=0.3e-6, one_shot_link_share=0.5, two_shot_startup_s=7e-6, two_shot_device_s=0.6e-6,
    two_shot_link_share=0.7, in_switch_startup_s=12e-6, all_to_all_startup_s=50e-6)
SHAPES = {
    GEMM: [(m, n, k) for m, n, k in product((1.0, 16.0, 128.0, 1024.0, 8192.0), (512.0, 2048.0, 8192.0),
                                            (512.0, 2048.0, 8192.0))],
    DECODE_ATTENTION: [(b, s, h, kv) for b, s, (h, kv) in product((1.0, 16.0, 256.0), (127.0, 2047.0, 16383.0),
                                                                   ((8.0, 1.0), (32.0, 8.0), (8.0, 8.0)))],
    PROMPT_ATTENTION: [(b, s, h, kv) for b, s, (h, kv) in product((1.0, 8.0), (128.0, 1024.0, 8192.0),
                                                                   ((8.0, 1.0), (32.0, 8.0)))],
    ALL_REDUCE: [(n, 4096.0 * 4.0**power) for n, power in product((2.0, 4.0, 8.0), range(8))],
}


def rows(systems: Iterable[str], style: LatencyStyle = TRUTH) -> list[Row]:
    """Rows of every kind as the model of `style` has them."""
    found = []
    for system in systems:
        for kind, shapes in SHAPES.items():
            for shape in shapes:
                row = Row(system, "vllm", kind, "bf16", shape, 1.0)
                found.append(row._replace(time_s=predicted_s(row, DEVICES[system], style)))
    return found


def write_tables(folder: Path, made: Sequence[Row]) -> None:
    """The rows as a folder of tables."""
    for system in sorted({row.system for row in made}):
        mine = [row for row in made if row.system == system]
        _write(folder / f"gemm_bf16_{system}_vllm_1.0.csv", ("m", "n", "k", "latency_us"), mine, GEMM)
        _write(folder / f"generation_attention_{system}_vllm_1.0.csv",
               ("batch_size", "step", "num_heads", "num_key_value_heads", "latency_us"), mine, DECODE_ATTENTION)
        _write(folder / f"context_attention_{system}_vllm_1.0.csv",
               ("batch_size", "isl", "num_heads", "num_key_value_heads", "latency_us"), mine, PROMPT_ATTENTION)
    _write_all_reduce(folder / "custom_allreduce_test.csv", [row for row in made if row.kind == ALL_REDUCE])


def _write(path: Path, head: Sequence[str], made: Sequence[Row], kind: str) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(head)
        writer.writerows([*row.shape, row.time_s * 1e6] for row in made if row.kind == kind)


def _write_all_reduce(path: Path, made: Sequence[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(("system", "framework", "kernel_source", "num_gpus", "bytes", "latency_us"))
        writer.writerows([row.system, "vllm", "custom_graph", *row.shape, row.time_s * 1e6] for row in made)

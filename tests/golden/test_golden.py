"""Metrics of a few designs, kept: a change of the model shows here, and must be meant.

After a change that is meant: `python tests/golden/test_golden.py` writes them anew; the difference goes into the
changelog.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dse.case import case
from dse.cli.hydra_run import composed
from dse.objective import metrics

KEPT = Path(__file__).with_name("metrics.json")
DESIGNS = (
    "hardware=ascend_910b technique=preserve",
    "hardware=ascend_910b technique=none hardware.l2_mib=8",
    "hardware=ascend_910b technique=preserve_weights model=phi3_medium parallelism.tensor_parallel=4",
    "hardware=a100 precision=bf16 model=llama2_70b technique=none",
    "hardware=h100 precision=fp8 model=llama3_8b parallelism.tensor_parallel=2 traffic=chat technique=preserve_kv",
    "hardware=h200 precision=bf16 model=qwen2_72b parallelism.pipeline_parallel=2 parallelism.tensor_parallel=4",
    "hardware=tpu_v4 precision=bf16 model=gpt3_175b parallelism.tensor_parallel=16 technique=none",
    "hardware=accelerator model=opt_30b precision=int8 traffic.batch=32 traffic.total_tokens=2048",
)


def found(design: str) -> dict[str, float]:
    return metrics(case(composed(design.split())))._asdict()


@pytest.mark.parametrize("design", DESIGNS)
def test_the_metrics_are_those_that_were_kept(design: str) -> None:
    kept = json.loads(KEPT.read_text())[design]
    assert found(design) == pytest.approx(kept, rel=1e-12, abs=1e-15)


def test_every_kept_design_is_tested() -> None:
    assert set(json.loads(KEPT.read_text())) == set(DESIGNS)


if __name__ == "__main__":
    KEPT.write_text(json.dumps({design: found(design) for design in DESIGNS}, indent=1) + "\n")

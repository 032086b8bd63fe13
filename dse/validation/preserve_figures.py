"""Published results of prefetching beside ours: those of PRESERVE, and a measured sweep of the prefetch size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dse.objective import Case, metrics
from dse.technique.terms import OFF
from dse.units import MEBI, MEGA
from dse.validation.figure import CONSISTENCY, FITTED, Figure

SECTION = "PRESERVE on Ascend 910B, INT8, batch 4, 16K tokens"
PAPER = "arXiv 2501.08192"
L2_MIB = tuple(float(size) for size in range(8, 257, 8))
MADE = ("hardware=ascend_910b", "precision=int8", "technique=preserve", "traffic=paper")
BEST = ("model=llama3_70b", "parallelism.tensor_parallel=8")
LIMIT_SECTION = "Prefetch limit of MoE weights, 2 x Atlas 800T A2, W8A8"
LIMIT_SOURCE = "github vllm-project/vllm-ascend PR 1509"
LIMIT_MADE = ("experiment=prefetch_limit",)
LIMITS_MB = tuple(float(size) for size in range(1, 193))
NOTES = {LIMIT_SECTION: "Model, batch and lengths of the measured sweep are not stated; ours are those of "
                        "[the study](../studies/prefetch_limit/README.md). The usable share of the L2 was read off the "
                        "best limit. Best limit and ratio follow the batch, so that agreement here proves little."}


def preserve_figures() -> Iterator[Figure]:
    """All of them."""
    for model, devices in (("llama3_70b", 8), ("qwen2_72b", 8), ("llama3_8b", 8), ("phi3_medium", 8)):
        yield _figure(f"highest speed-up, here that of {model} on {devices} devices", 1.61, "x",
                      (f"model={model}", f"parallelism.tensor_parallel={devices}"), _speedup)
    yield _figure("best L2 for throughput per area, without", 8.0, "MiB", BEST, _best_mib(prefetch=False))
    yield _figure("best L2 for throughput per area, with", 104.0, "MiB", BEST, _best_mib(prefetch=True))
    yield _figure("throughput per area at the best L2 over that without at its best", 1.25, "x", BEST, _gain)
    yield Figure(LIMIT_SECTION, "best limit, L2 not managed", 100.0, "MB", FITTED, 0.10, LIMIT_SOURCE, LIMIT_MADE,
                 _best_limit_mb)
    measured = (92.073 - 90.711) / (92.653 - 90.711)
    yield Figure(LIMIT_SECTION, "gain in tokens/s with 120 MB over that with 100 MB", round(measured, 3), "x",
                 CONSISTENCY, None, LIMIT_SOURCE, LIMIT_MADE, _gain_beyond)


def _figure(name: str, published: float, unit: str, made: tuple[str, ...], ours: Callable[[Case], float]) -> Figure:
    return Figure(SECTION, name, published, unit, CONSISTENCY, None, PAPER, (*MADE, *made), ours)


def _without(of: Case) -> Case:
    return of._replace(setting=of.setting._replace(technique=OFF))


def _speedup(of: Case) -> float:
    return metrics(_without(of)).request_s / metrics(of).request_s


def _curve(of: Case) -> list[float]:
    """Throughput per silicon area at each L2 size."""
    return [metrics(of._replace(setting=of.setting._replace(
        device=of.setting.device._replace(l2_bytes=size * MEBI)))).tokens_per_s_per_mm2 for size in L2_MIB]


def _best_mib(prefetch: bool) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        values = _curve(of if prefetch else _without(of))
        return L2_MIB[values.index(max(values))]

    return ours


def _gain(of: Case) -> float:
    return max(_curve(of)) / max(_curve(_without(of)))


def _limit_gain(of: Case, limit_mb: float) -> float:
    """Gain in throughput over no prefetching with a limit of a window."""
    terms = of.setting.technique._replace(prefetch_limit_bytes=limit_mb * MEGA)
    limited = metrics(of._replace(setting=of.setting._replace(technique=terms)))
    return limited.throughput_tokens_per_s / metrics(_without(of)).throughput_tokens_per_s - 1.0


def _best_limit_mb(of: Case) -> float:
    return max(LIMITS_MB, key=lambda limit_mb: _limit_gain(of, limit_mb))


def _gain_beyond(of: Case) -> float:
    return _limit_gain(of, 120.0) / _limit_gain(of, 100.0)

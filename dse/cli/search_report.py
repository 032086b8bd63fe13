"""What a person reads at the end of a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dse.cli.report import columns
from dse.search.engine import METRICS_ATTR, ORIGIN_ATTR
from dse.search.run import Outcome
from dse.search.saved import SavedSearch

FRONT_ROWS = 8
ALWAYS = ("tokens_per_s_per_usd", "throughput_tokens_per_s", "group_usd", "ttft_s", "tpot_s", "die_mm2")


def report(outcome: Outcome) -> str:
    """The study in words and tables."""
    return "\n\n".join(part for part in _parts(outcome) if part)


def _parts(outcome: Outcome) -> Iterator[str]:
    study = outcome.study
    yield _head(outcome)
    yield summary(study)
    if outcome.certificate:
        yield f"certificate: {outcome.certificate.sentence()}"
    yield f"saved in {outcome.where}; the table: dse studies export {study.name}"


def side_by_side(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The studies of one command in one table; nothing for one study."""
    if len(outcomes) < 2:
        return
    rows: list[tuple[str, ...]] = [("study", "complete", "feasible", "designs", "best by", *ALWAYS)]
    for study in (outcome.study for outcome in outcomes):
        metrics = study.best.user_attrs[METRICS_ATTR] if study.best else {}
        rows.append((study.name, f"{len(study.complete):,}", f"{len(study.feasible):,}",
                     f"{study.designs_evaluated:,}", study.mark.metric if metrics else "none feasible",
                     *(f"{metrics[name]:.6g}" if metrics else "" for name in ALWAYS)))
    yield columns(rows)


def _head(outcome: Outcome) -> str:
    study = outcome.study
    lines = [f"study {study.name}: {len(study.complete):,} of {outcome.target:,} trials complete "
             f"({outcome.added:,} now), {len(study.feasible):,} feasible, {study.failed:,} lost and run again; "
             f"{study.designs_evaluated:,} designs evaluated in all",
             f"sampler {outcome.sampling.name}{' with exact steps' if outcome.sampling.exact_steps else ''}: "
             f"{outcome.sampling.reason}"]
    if outcome.exhausted and len(study.complete) < outcome.target:
        lines.append(f"the space has no more than these {len(study.complete):,} designs")
    return "\n".join(lines)


def summary(study: SavedSearch) -> str:
    """Best design and front."""
    if study.best is None:
        return "no design is feasible: see the violations in the study's table"
    metrics = study.best.user_attrs[METRICS_ATTR]
    rows = [(f"best {study.mark.metric}", f"{metrics[study.mark.metric]:.6g}"),
            *((key, _text(value)) for key, value in study.best.params.items()),
            *((name, f"{metrics[name]:.6g}") for name in ALWAYS if name != study.mark.metric),
            ("found by", f"trial {study.best.number}, {study.best.user_attrs[ORIGIN_ATTR]}")]
    front = _front(study) if len(study.objectives) > 1 else ""
    return columns(rows) + (f"\n\n{front}" if front else "")


def best_text(study: SavedSearch) -> str:
    """The best mark in a few words."""
    if study.best is None:
        return "none feasible"
    return f"{study.mark.metric} {study.best.user_attrs[METRICS_ATTR][study.mark.metric]:.6g}"


def _front(study: SavedSearch) -> str:
    step = max(1, len(study.front) // FRONT_ROWS)
    shown = study.front[::step]
    names = [one.metric for one in study.objectives]
    head = f"{len(study.front)} designs on the Pareto front of {', '.join(map(str, study.objectives))}"
    if len(shown) < len(study.front):
        head += f"; {len(shown)} of them"
    keys = list(dict.fromkeys(key for trial in shown for key in trial.params))
    rows = [(*names, *keys)]
    rows += [(*(f"{value:.6g}" for value in trial.values), *(_text(trial.params.get(key, "")) for key in keys))
             for trial in shown]
    return head + "\n" + columns(rows)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)

"""The page docs/validation.md from the checked figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dse.validation.figure import CONSISTENCY, FITTED, HELD_OUT, Checked, Mean

HEAD = f"""# Validation

Every published and measured figure that this project quotes, ours beside it. `dse validate` makes this page
(`dse validate write=true` writes it) and fails where a tolerance is missed.

- **{FITTED}**: constants were fitted to it, or to measurements of the same machine and kind. It shows how well the form
  of the model does, not how well it predicts.
- **{HELD_OUT}**: no constant was fitted to it.
- **{CONSISTENCY}**: the result of another model, or measured in a setting that is not stated in full. It has no
  tolerance, and ours was not moved towards it.

How well the model predicts a GPU that it was not fitted to, over some hundred thousand measurements, is on
[the page on calibration](calibration.md)."""


def page(found: Sequence[Checked], averages: Sequence[Mean], notes: Mapping[str, str]) -> str:
    """The whole page: a table for each section, with the section's mean and note below."""
    parts = [HEAD]
    by_section = {mean.section: mean for mean in averages}
    for section in dict.fromkeys(one.figure.section for one in found):
        parts += [f"## {section}", table([one for one in found if one.figure.section == section])]
        if section in by_section:
            parts.append(mean_line(by_section[section]))
        if section in notes:
            parts.append(notes[section])
    return "\n\n".join(parts) + "\n"


def table(found: Sequence[Checked]) -> str:
    """The figures of one section."""
    head = ("figure", "published", "ours", "unit", "error", "tolerance", "class", "source")
    lines = [head, ("---",) * len(head), *(_line(one) for one in found)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def mean_line(mean: Mean) -> str:
    """The mean of one section in words."""
    verdict = "" if mean.met else " **missed**"
    return f"Mean absolute error of these {mean.figures}: {mean.error:.1%}, tolerance {mean.tolerance:.0%}.{verdict}"


def _line(one: Checked) -> tuple[str, ...]:
    figure = one.figure
    tolerance = "–" if figure.tolerance is None else f"{100.0 * figure.tolerance:g}%"
    error = f"{one.error:+.1%}" if one.met else f"**{one.error:+.1%}, missed**"
    return (figure.name, f"{figure.published:g}", f"{one.ours:.4g}", figure.unit, error, tolerance, figure.kind,
            figure.source)

"""Tables in plain text, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dse.units import GIGA, MICRO, MILLI
from dse.workload import traffic


def evaluation_report(answer: Mapping[str, Any]) -> str:
    """The whole evaluation of one design."""
    parts = (_title(answer), _headline(answer), _serving(answer), _operators(answer), _area(answer), _cost(answer),
             _remarks(answer))
    return "\n\n".join(part for part in parts if part)


def columns(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Rows of cells with aligned columns, the first `left` to the left and the others to the right; row 0 the head."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = (cell.ljust(width) if place < left else cell.rjust(width)
                 for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(len(line) for line in lines))
    return "\n".join(lines)


def seconds(value: float) -> str:
    """A time with the unit that keeps it readable."""
    if value >= 1.0:
        return f"{value:.3f} s"
    if value >= MILLI:
        return f"{value / MILLI:.3f} ms"
    return f"{value / MICRO:.1f} us"


def _title(answer: Mapping[str, Any]) -> str:
    design = answer["design"]
    split = design["parallelism"]
    count = split["tensor_parallel"] * split["pipeline_parallel"] * split["data_parallel"]
    kinds = ", ".join(f"{key}={value}" for key, value in split.items()
                      if value is True or value not in (1, False))
    latency = answer["baseline"]["latency"]
    asked = traffic(design["traffic"])
    tokens = f"{asked.prompt_tokens:.0f} prompt + {asked.output_tokens:.0f} output tokens"
    precision = design["precision"]
    return (f"{design['model']['name']} on {count} x {design['hardware']['name']} "
            f"({kinds or 'tensor_parallel=1'})\n"
            f"weights {precision['weights']}, activations {precision['activations']}, "
            f"KV-cache {precision['kv_cache']}; batch {latency['batch']:.0f}; {tokens}; "
            f"L2 {design['hardware']['l2_mib']:g} MiB")


def _pairs(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    without, with_it = answer["baseline"], answer["technique_metrics"]
    for name, key in (("time to first token", "ttft_s"), ("time per output token", "tpot_s"), ("request", "request_s")):
        yield name, seconds(without["latency"][key]), seconds(with_it["latency"][key])
    for name, part, key, form in (
            ("output tokens/s of the group", "latency", "throughput_tokens_per_s", "{:.1f}"),
            ("tokens/s per mm2 of silicon", "objective", "tokens_per_s_per_mm2", "{:.4f}"),
            ("tokens/s per 1000 USD of capital", "objective", "tokens_per_s_per_usd", "{:.4f}"),
            ("USD per hour of the group", "cost", "usd_per_hour", "{:.3f}"),
            ("USD per million output tokens", "cost", "usd_per_million_tokens", "{:.3f}"),
            ("output tokens per joule", "objective", "tokens_per_j", "{:.4f}")):
        scale = 1000.0 if "1000 USD" in name else 1.0
        yield name, form.format(scale * without[part][key]), form.format(scale * with_it[part][key])


def _headline(answer: Mapping[str, Any]) -> str:
    rows = [("", "none", answer["technique"]), *_pairs(answer),
            ("speed-up of a request", "", f"{answer['speedup']:.3f} x"),
            ("gain in tokens/s per USD", "", f"{answer['performance_per_cost_gain']:.3f} x")]
    return columns(rows)


def _serving(answer: Mapping[str, Any]) -> str:
    """What clients see under continuous batching, where they were asked for."""
    if "serving" not in answer["baseline"]:
        return ""
    without, with_it = answer["baseline"]["serving"], answer["technique_metrics"]["serving"]
    asked = answer["design"]["serving"]
    rows = [("", "none", answer["technique"])]
    rows += [(name, seconds(without[key]), seconds(with_it[key]))
             for name, key in (("time to first token", "ttft_s"), ("time per output token", "tpot_s"),
                               ("request", "request_s"))]
    rates = (f"{side['throughput_tokens_per_s']:.1f}" for side in (without, with_it))
    head = (f"continuous batching, {asked['clients']} clients with {asked['requests_each']} requests each, software of "
            f"{answer['design']['server']['name']}: means over the requests")
    return head + "\n" + columns([*rows, ("output tokens/s of the group", *rates)])


def _operators(answer: Mapping[str, Any]) -> str:
    rows = [("phase", "operator", "times", "none", answer["technique"], "hidden", "HBM GB", "J", "bound by")]
    both = zip(answer["baseline"]["latency"]["operators"], answer["technique_metrics"]["latency"]["operators"],
               strict=True)
    for without, with_it in both:
        if without["time_s"] > 0.0:
            rows.append((without["phase"], without["name"], f"{without['count']:.0f}", seconds(without["time_s"]),
                         seconds(with_it["time_s"]), seconds(with_it["hidden_s"]) if with_it["hidden_s"] else "",
                         f"{without['hbm_bytes'] / GIGA:.2f}", f"{sum(without['energy_j'].values()):.3g}",
                         with_it["bound"]))
    head = ("latency by operator, HBM bytes and energy of one device: the prefill of the batch, and the mean decode "
            "step; all layers together")
    return head + "\n" + columns(rows, left=2)


def _area(answer: Mapping[str, Any]) -> str:
    area = answer["baseline"]["area"]
    rows = [("area by block", "mm2", "share")]
    for name, value in area["blocks_mm2"].items():
        rows.append((name.replace("_", " "), f"{value:.1f}", f"{value / area['die_mm2']:.1%}"))
    return columns([*rows, ("die", f"{area['die_mm2']:.1f}", "")])


def _cost(answer: Mapping[str, Any]) -> str:
    cost = answer["baseline"]["cost"]
    rows = [(f"cost of one device by item, {answer['dollars']}", "USD")]
    rows += [(name.replace("_usd", "").replace("_", " "), f"{value:,.0f}") for name, value in cost["items_usd"].items()]
    return columns([*rows, ("device", f"{cost['device_usd']:,.0f}"),
                    ("whole group, hosts and network included", f"{cost['group_usd']:,.0f}"),
                    ("good dies of a wafer", f"{cost['die_yield'] * cost['dies_per_wafer']:.1f} of "
                                             f"{cost['dies_per_wafer']:.1f}")])


def _remarks(answer: Mapping[str, Any]) -> str:
    lines = [f"note: {note}" for note in answer["notes"]]
    for name, value in answer["baseline"]["violations"].items():
        if value > 0.0:
            lines.append(f"not feasible: {name} is exceeded by {value:.1%}")
    return "\n".join(lines)

"""One design in full: latency by operator, area by block, cost by item, without and with its technique."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dse.case import case
from dse.constants import KEYS
from dse.cost.bill import Bill, bill
from dse.cost.energy import Work, energy
from dse.errors import InputError
from dse.latency.attention_block import AttentionBlock
from dse.latency.capacity import memory
from dse.latency.expert_block import ExpertBlock
from dse.latency.load import load
from dse.latency.memory import dense_layers, stage_devices
from dse.latency.mlp_block import MlpBlock
from dse.latency.phases import Pass, decode, decode_context, micro_batches, prefill
from dse.latency.roofline import OperatorTime
from dse.latency.server import server
from dse.latency.serving import served
from dse.latency.serving_steps import cache_tokens
from dse.latency.setting import Setting
from dse.latency.work import operator_work
from dse.objective import VIOLATIONS, Case, Metrics, devices, metrics
from dse.provenance import provenance
from dse.technique.terms import OFF
from dse.units import GIGA
from dse.workload import LARGEST_BATCH

DECODE_PARTS = tuple(float(part) for part in range(16))  # as in mean_decode_s
LATENCY = ("ttft_s", "tpot_s", "request_s", "throughput_tokens_per_s", "batch")
OBJECTIVE = ("tokens_per_s_per_mm2", "tokens_per_s_per_usd", "tokens_per_j")


def evaluation(config: Mapping[str, Any]) -> dict[str, Any]:
    """Everything about the design that `config` describes, as plain dictionaries, SI units in the names.

    `baseline` is the same design with no technique, `technique_metrics` with the one that `config` names; `speedup` is
    the baseline's request time over the technique's, `performance_per_cost_gain` the ratio of tokens per second per
    dollar. Where `config` has the groups serving and server, both have `serving` too: what the clients of that load
    see. Raises InputError where the configuration is impossible, or the weights alone exceed the memory.
    """
    chosen = case(config)
    _refuse_too_large(chosen.setting, config)
    plain = chosen._replace(setting=chosen.setting._replace(technique=OFF))
    without, with_it = metrics(plain), metrics(chosen)
    loads = {at: _serving(at, config) for at in {plain.setting, chosen.setting}}  # one where there is no technique
    return {
        "design": design(config),
        "technique": config["technique"]["name"],
        "baseline": {**_metrics(plain, without), **loads[plain.setting]},
        "technique_metrics": {**_metrics(chosen, with_it), **loads[chosen.setting]},
        "speedup": without.request_s / with_it.request_s,
        "performance_per_cost_gain": with_it.tokens_per_s_per_usd / without.tokens_per_s_per_usd,
        "dollars": dollars(config["cost"]),
        "notes": notes(config, chosen.setting),
        "provenance": provenance(),
    }


def design(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with each constant at its base value."""
    return {key: _at_base(value) for key, value in config.items()}


def notes(config: Mapping[str, Any], at: Setting) -> list[str]:
    """What a reader must know about this design: padding, approximations that the model's file names."""
    found = [f"{name}: {config[name]['note']}" for name in ("hardware", "model") if config[name].get("note")]
    for name, count, key, parts in _dealt(at):
        if count % parts:
            padded = -(-count // parts) * parts
            found.append(f"{count:.0f} {name} do not divide by {key}={parts:.0f}: "
                         f"each device works as if there were {padded:.0f}")
    if not at.model.experts and at.parallelism.expert_parallel > 1.0:
        found.append(f"{config['model']['name']} has no experts: parallelism.expert_parallel="
                     f"{at.parallelism.expert_parallel:.0f} changes nothing")
    if not at.model.experts and at.parallelism.all_to_all:
        found.append(f"{config['model']['name']} has no experts: parallelism.all_to_all=true deals its tokens to the "
                     "devices between two blocks, as parallelism.sequence_parallel=true does")
    left_over = stage_devices(at.parallelism) % at.parallelism.expert_parallel
    if at.model.experts and 0.0 < left_over < stage_devices(at.parallelism):
        found.append(f"{stage_devices(at.parallelism):.0f} devices of a stage do not divide by expert_parallel="
                     f"{at.parallelism.expert_parallel:.0f}: what is left over of them holds no expert")
    if at.model.experts:
        found.append("tokens choose their experts evenly; real routing is less even, and then slower")
    if at.model.layers % at.parallelism.pipeline_parallel:
        found.append(f"{at.model.layers:.0f} layers do not divide by pipeline_parallel="
                     f"{at.parallelism.pipeline_parallel:.0f}: the longest stage sets the pace")
    return found


def _dealt(at: Setting) -> Iterator[tuple[str, float, str, float]]:
    """What is dealt to devices: its name, its number, by which key, and in how many parts."""
    split_over, model = at.parallelism, at.model
    by, wide = ("tensor_parallel", split_over.tensor_parallel), ("stage devices", stage_devices(split_over))
    yield "query heads", model.query_heads, *by
    if not model.kv_latent_width:
        yield "KV heads", model.kv_heads, *by
    if dense_layers(model):
        yield "feed-forward columns", model.ffn_width, *(by if split_over.data_parallel == 1.0 else wide)
    yield "vocabulary entries", model.vocabulary, *by
    yield "experts", model.experts, "expert_parallel", split_over.expert_parallel


def dollars(cost: Mapping[str, Any]) -> str:
    """Which dollars the amounts are in: nominal ones, of the years of the constants that enter them."""
    dates = [str(constant["date"])[:4] for group in cost.values() if isinstance(group, Mapping)
             for constant in group.values() if isinstance(constant, Mapping) and "USD" in str(constant.get("unit"))]
    return f"nominal USD of {min(dates)} to {max(dates)}" if dates else "USD as set by the user"


def operators(of: Case) -> list[dict[str, Any]]:
    """Every operator of the prefill and of the mean decode step of one micro-batch, all layers together.

    Amounts are of one device; `energy_j` is what its work takes, without what the device draws anyway.
    """
    at = of.setting
    batch = memory(at).batch
    first = [prefill(at, batch)]
    steps = [decode(at, batch, decode_context(at.traffic, part)) for part in DECODE_PARTS]
    return [*_phase("prefill", first, of), *_phase("decode", steps, of)]


def energy_j(operator: OperatorTime, of: Case) -> dict[str, float]:
    """Joules of one operator on one device by where they go: compute, l2, hbm, link."""
    done = operator_work(operator)
    work = Work(done.wide_flops, done.l2_bytes, done.hbm_bytes, done.link_bytes)
    spent = energy(work, 0.0, of.setting.device, of.cost)
    return {"compute": spent.compute_j, "l2": spent.l2_j, "hbm": spent.hbm_j, "link": spent.link_j}


def _phase(phase: str, passes: list[Pass], of: Case) -> Iterator[dict[str, Any]]:
    share = 1.0 / len(passes)
    entries = [list(_entries(one)) for one in passes]
    for same in zip(*entries, strict=True):
        name, count = same[0][0], same[0][1]
        mean = OperatorTime(*(share * sum(parts) for parts in zip(*(entry[2] for entry in same), strict=True)))
        yield {"phase": phase, "name": name, "count": count, "time_s": count * mean.time_s, "bound": bound(mean),
               "hidden_s": count * mean.hidden_s, "hbm_bytes": count * mean.hbm_bytes,
               "prefetched_bytes": count * mean.prefetched_bytes, "l2_bytes": count * mean.l2_bytes,
               "link_bytes": count * mean.link_bytes, "flops": count * mean.flops,
               "energy_j": {part: count * joules for part, joules in energy_j(mean, of).items()}}
    yield from _between_stages(phase, passes, of.setting)


def _between_stages(phase: str, passes: list[Pass], at: Setting) -> Iterator[dict[str, Any]]:
    """Hops between pipeline stages, and the time that the batch waits for its other micro-batches."""
    if at.parallelism.pipeline_parallel == 1.0:
        return
    count = micro_batches(at.parallelism, memory(at).batch)
    waits = [(count - 1.0) * one.stage_s if phase == "prefill" else max(0.0, count * one.stage_s - one.pass_s)
             for one in passes]
    for name, times in (("stage_transfers", [one.transfers_s for one in passes]), ("pipeline_wait", waits)):
        yield {"phase": phase, "name": name, "count": 1.0, "time_s": sum(times) / len(times), "bound": "pipeline",
               "hidden_s": 0.0, "hbm_bytes": 0.0, "prefetched_bytes": 0.0, "l2_bytes": 0.0, "link_bytes": 0.0,
               "flops": 0.0, "energy_j": {"compute": 0.0, "l2": 0.0, "hbm": 0.0, "link": 0.0}}


def _entries(one: Pass) -> Iterator[tuple[str, float, OperatorTime]]:
    ends = one.ends
    yield "embedding", 1.0, ends.embedding
    yield "embedding_reduce", 1.0, ends.embedding_reduce
    blocks: tuple[tuple[float, AttentionBlock | MlpBlock | ExpertBlock], ...] = (
        (one.layers, one.attention), (one.dense_layers, one.mlp), (one.layers - one.dense_layers, one.experts))
    for count, block in blocks:
        for name, operator in zip(block._fields, block, strict=True):
            yield name, count, operator
    yield "final_norm", 1.0, ends.final_norm
    yield "final_gather", 1.0, ends.final_gather
    yield "logits", 1.0, ends.logits
    yield "logits_all_gather", 1.0, ends.logits_all_gather


def bound(operator: OperatorTime) -> str:
    """What takes the larger part of the operator's time: its floor, compute, hbm, l2 or link; "none" if no time."""
    parts = {"floor": operator.floor_s, "compute": operator.compute_s, "hbm": operator.hbm_s, "l2": operator.l2_s,
             "link": operator.link_s}
    largest = max(parts, key=lambda name: parts[name])
    return largest if parts[largest] > 0.0 else "none"


def _metrics(of: Case, found: Metrics) -> dict[str, Any]:
    costs: Bill = bill(of.setting.device, devices(of.setting), of.cost)
    values = found._asdict()
    area = costs.area._asdict()
    return {
        "latency": {**{name: values[name] for name in LATENCY}, "operators": operators(of)},
        "area": {"die_mm2": area.pop("die_mm2"), "blocks_mm2": area},
        "cost": {"die_usd": found.die_usd, "device_usd": found.device_usd, "group_usd": found.group_usd,
                 "items_usd": costs.items._asdict(), "die_yield": found.die_yield,
                 "dies_per_wafer": costs.dies_per_wafer, "device_power_w": found.device_power_w,
                 "usd_per_hour": found.usd_per_hour, "usd_per_million_tokens": found.usd_per_million_tokens},
        "objective": {name: values[name] for name in OBJECTIVE},
        "feasible": bool(found.feasible),
        "violations": {name: values[name] for name in VIOLATIONS},
    }


def _serving(at: Setting, config: Mapping[str, Any]) -> dict[str, Any]:
    """What the clients of the group `serving` see, where there is one; InputError where one request does not fit.

    A request lies in one copy of attention, and whole in one step where prompts are not cut.
    """
    if "serving" not in config and "server" not in config:
        return {}
    if "serving" not in config or "server" not in config:
        raise InputError("serving and server go together: choose serving=closed_loop, which comes with server=vllm, or "
                         "add +server=vllm to a load of your own")
    asked = load(config["serving"], server(config["server"]))
    prompt, room = at.traffic.prompt_tokens, cache_tokens(at) / at.parallelism.data_parallel
    tokens = prompt + at.traffic.output_tokens
    if not asked.chunked and prompt > asked.step_tokens:
        raise InputError(f"serving.step_tokens={asked.step_tokens} is not allowed with serving.chunked=false: a step "
                         f"takes at least a prompt, {prompt:.0f} tokens; raise it, or choose serving.chunked=true")
    if tokens > room:
        where = " in each copy of attention" if at.parallelism.data_parallel > 1.0 else ""
        raise InputError(f"serving needs room for one request's KV-cache: {tokens:.0f} tokens, and "
                         f"{max(0.0, room):.0f} fit{where}; raise hardware.hbm_gb or parallelism.tensor_parallel")
    return {"serving": served(at, asked)._asdict()}


def _at_base(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value["base"] if set(KEYS) <= set(value) else {key: _at_base(part) for key, part in value.items()}
    return value


def _refuse_too_large(at: Setting, config: Mapping[str, Any]) -> None:
    held = memory(at)
    least = 1.0 if config["traffic"]["batch"] == LARGEST_BATCH else 0.0
    need = held.weights_bytes + least * held.sequence_bytes
    if need > held.usable_bytes:
        what = "the weights and one sequence's KV-cache take" if least else "the weights take"
        raise InputError(
            f"hardware.hbm_gb={at.device.hbm_bytes / GIGA:g} is too small: {what} {need / GIGA:.1f} GB on each of "
            f"{devices(at):.0f} devices and {held.usable_bytes / GIGA:.1f} GB are usable; raise hardware.hbm_gb or "
            "parallelism.tensor_parallel, or choose a narrower precision")

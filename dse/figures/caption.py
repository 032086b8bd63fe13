"""What a figure's designs have in common, in one line: model, chip, devices, precision, traffic."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dse.figures.labels import group, option_name, setting_text


def caption(configuration: Mapping[str, Any], axes: Collection[str]) -> str:
    """A configuration without its `axes`: "Llama3-70B, Ascend 910B, TP 8, INT8, batch 4, 16,384 tokens"."""
    return ", ".join(_parts(configuration, set(axes)))


def _parts(configuration: Mapping[str, Any], axes: set[str]) -> Iterator[str]:
    if "model" not in axes:
        yield option_name(str(configuration["model"]["name"]))
    if "hardware" not in axes:
        yield option_name(str(configuration["hardware"]["name"]))
    for key, value in configuration["parallelism"].items():
        if f"parallelism.{key}" not in axes:
            yield from [key.replace("_", "-")] * value if isinstance(value, bool) else _count(key, float(value))
    if not any(group(axis) == "precision" for axis in axes):
        formats = (str(configuration["precision"][part]) for part in ("weights", "activations", "kv_cache"))
        yield "/".join(option_name(name) for name in dict.fromkeys(formats))
    if "traffic" not in axes:
        yield from _traffic(configuration["traffic"], axes)


def _count(key: str, count: float) -> Iterator[str]:
    if count != 1.0:
        yield setting_text(f"parallelism.{key}", count)


def _traffic(traffic: Mapping[str, Any], axes: set[str]) -> Iterator[str]:
    given = [key for key in ("prompt_tokens", "output_tokens") if traffic.get(key) is not None]
    for key in ("batch", *(given or ("total_tokens",))):
        if f"traffic.{key}" not in axes:
            value = traffic[key]
            text = f"{key} {value}" if isinstance(value, str) else setting_text(f"traffic.{key}", float(value))
            yield text.removeprefix("length ")

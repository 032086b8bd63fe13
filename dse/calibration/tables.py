"""Measured tables: a folder of CSV files becomes rows of one form, with what is left out and why."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from dse.errors import InputError
from dse.units import MICRO

GEMM, DECODE_ATTENTION, PROMPT_ATTENTION, ALL_REDUCE = "gemm", "decode attention", "prompt attention", "all-reduce"
ALL_GATHER, REDUCE_SCATTER = "all-gather", "reduce-scatter"
LIBRARY = {"all_reduce": ALL_REDUCE, "all_gather": ALL_GATHER, "reduce_scatter": REDUCE_SCATTER}
COLLECTIVES = tuple(LIBRARY.values())
FEWEST_ELEMENTS, MOST_ELEMENTS, MOST_ROWS = 512.0, 65536.0, 8192.0
LARGEST_GROUP, SHORTEST_CONTEXT = 16.0, 127.0
SMALLEST_MESSAGE, LARGEST_MESSAGE = 4096.0, 2.0**26
FILE = re.compile(r"(gemm|generation_attention|context_attention)_(?:(bf16|fp16|fp8)_)?(.+)_([a-z]+)_([^_]+)\.csv")


class Row(NamedTuple):
    """One measurement.

    `shape`: m, n, k of a GEMM; batch, cached or prompt tokens, query heads and KV heads of attention; devices and bytes
    of a collective: the whole message, of which an all-gather brings and a reduce-scatter leaves each device a part.
    """

    system: str
    framework: str
    kind: str
    number_format: str
    shape: tuple[float, ...]
    time_s: float


class Folder(NamedTuple):
    """The rows of a folder, and how many of each table were left out, by reason."""

    rows: list[Row]
    left_out: dict[tuple[str, str], int]


def read_folder(folder: Path) -> Folder:
    """Every table of `folder` that has a known name; InputError where there is none or a column is missing."""
    if not folder.is_dir():
        raise InputError(f"FOLDER={folder} is not allowed: it is no folder")
    rows: list[Row] = []
    left_out: dict[tuple[str, str], int] = {}
    for path in sorted(folder.glob("*.csv")):
        reader = _reader(path)
        if reader is None:
            continue
        try:
            found = [(row, _unfit(row)) for row in reader(path)]
        except (KeyError, ValueError) as error:
            raise InputError(f"{path.name} cannot be read: a column is missing or a number is none ({error})") from None
        rows += [row for row, reason in found if reason is None]
        for _, reason in found:
            if reason is not None:
                left_out[path.name, reason] = left_out.get((path.name, reason), 0) + 1
    if not rows:
        raise InputError(f"FOLDER={folder} is not allowed: it holds no table with a known name (docs/calibration.md)")
    return Folder(_typical(rows), left_out)


def _reader(path: Path) -> Callable[[Path], Iterator[Row]] | None:
    if path.name.startswith("custom_allreduce"):
        return _custom
    if path.name.startswith("nccl_collectives"):
        return _library
    return _operators if FILE.fullmatch(path.name) else None


def _lines(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        yield from csv.DictReader(handle)


def _operators(path: Path) -> Iterator[Row]:
    match = FILE.fullmatch(path.name)
    assert match is not None
    table, number_format, system, framework, _ = match.groups()
    for line in _lines(path):
        time_s = float(line["latency_us"]) * MICRO
        if table == "gemm":
            shape = tuple(float(line[key]) for key in ("m", "n", "k"))
            yield Row(system, framework, GEMM, number_format or "bf16", shape, time_s)
        elif _plain(line):
            decode = table == "generation_attention"
            keys = ("batch_size", "step" if decode else "isl", "num_heads", "num_key_value_heads")
            shape = tuple(float(line[key]) for key in keys)
            kind = DECODE_ATTENTION if decode else PROMPT_ATTENTION
            yield Row(system, framework, kind, "bf16", shape, time_s)


def _plain(line: Mapping[str, str]) -> bool:
    """Whether an attention row is of 16 bits, heads of 128, the whole context and, for a prompt, nothing cached."""
    formats = {line.get("attn_dtype", "bfloat16"), line.get("kv_cache_dtype", "bfloat16")}
    whole = float(line.get("window_size") or 0.0) == 0.0 and float(line.get("head_dim") or 128.0) == 128.0
    return formats <= {"bfloat16", "float16"} and whole


def _custom(path: Path) -> Iterator[Row]:
    for line in _lines(path):
        if not line["kernel_source"].endswith("_eager"):
            yield _collective(line, line["framework"], ALL_REDUCE)


def _library(path: Path) -> Iterator[Row]:
    for line in _lines(path):
        if line["op_name"] in LIBRARY and line["nccl_dtype"] in ("half", "bfloat16"):
            yield _collective(line, "NCCL", LIBRARY[line["op_name"]])


def _collective(line: Mapping[str, str], framework: str, kind: str) -> Row:
    shape = (float(line["num_gpus"]), float(line["bytes"]))
    return Row(line["system"], framework, kind, "bf16", shape, float(line["latency_us"]) * MICRO)


def _unfit(row: Row) -> str | None:
    """Why a row says nothing of what the model is asked for; None where it does."""
    if row.kind == GEMM:
        sides = row.shape[1:]
        small = min(sides) < FEWEST_ELEMENTS
        return "no shape of a transformer" if small or max(sides) > MOST_ELEMENTS or row.shape[0] > MOST_ROWS else None
    if row.kind in COLLECTIVES:
        return None if SMALLEST_MESSAGE <= row.shape[1] <= LARGEST_MESSAGE else "message below 4 KB or above 64 MB"
    _, tokens, query_heads, kv_heads = row.shape
    if query_heads % kv_heads or query_heads / kv_heads > LARGEST_GROUP:
        return "more than 16 query heads on a KV head"
    return "context below 127" if row.kind == DECODE_ATTENTION and tokens < SHORTEST_CONTEXT else None


def _typical(rows: list[Row]) -> list[Row]:
    """One row for each shape: the lower median of repeated measurements."""
    times: dict[tuple[object, ...], list[float]] = {}
    for row in rows:
        times.setdefault(row[:-1], []).append(row.time_s)
    kept = {row[:-1]: row for row in rows}
    return [row._replace(time_s=median_low(times[key])) for key, row in kept.items()]

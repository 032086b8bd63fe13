"""What the model says of one measured row, and which rows no machine can have measured as described."""

from __future__ import annotations

from dse.calibration.tables import ALL_GATHER, ALL_REDUCE, COLLECTIVES, DECODE_ATTENTION, GEMM, REDUCE_SCATTER, Row
from dse.hardware import Accelerator
from dse.latency.collectives import all_gather, all_reduce, reduce_scatter
from dse.latency.machine import machine
from dse.latency.memory import Shard
from dse.latency.operators import Tokens, attention, matmul
from dse.latency.roofline import operator_time
from dse.latency.style import LatencyStyle
from dse.model.language_model import LanguageModel
from dse.units import BITS_PER_BYTE
from dse.workload import BITS, SIXTEEN_BIT, Precision

HEAD_WIDTH = 128.0
WIDE = Precision(2.0, 2.0, 2.0, 2.0, 1.0)
COLLECTIVE = {ALL_REDUCE: all_reduce, ALL_GATHER: all_gather, REDUCE_SCATTER: reduce_scatter}


def predicted_s(row: Row, device: Accelerator, style: LatencyStyle, matrix_rate: float = 1.0) -> float:
    """Time of the row's operator on `device`; `matrix_rate` is that of the row's number format over 16 bits."""
    if row.kind in COLLECTIVES:
        devices, message_bytes = row.shape
        return COLLECTIVE[row.kind](message_bytes, devices, device, style).time_s
    wide = row.number_format in SIXTEEN_BIT
    narrow = BITS[row.number_format] / BITS_PER_BYTE
    precision = WIDE if wide else Precision(narrow, narrow, 2.0, 2.0, matrix_rate)
    on = machine(device, style, precision)
    if row.kind == GEMM:
        rows, columns, inner = row.shape
        work = matmul(rows, inner, columns, on, precision)
    else:
        batch, count, query_heads, kv_heads = row.shape
        tokens = Tokens(batch, 1.0, count) if row.kind == DECODE_ATTENTION else Tokens(batch, count, 0.0)
        model = LanguageModel(1.0, HEAD_WIDTH, query_heads, kv_heads, HEAD_WIDTH, 1.0, 0.0, 1.0, 0.0, 0.0)
        part = Shard(query_heads, 2.0 * kv_heads * HEAD_WIDTH, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
        work = attention(tokens, model, part, on, precision)
    return operator_time(work, 0.0, on.hbm_bytes_per_s, device.l2_bytes_per_s).time_s


def impossible(row: Row, device: Accelerator) -> bool:
    """Whether the KV-cache of a decode row is twice the L2 and was yet read faster than the HBM's peak.

    Such rows were measured on less memory than they say (sequences that share their cache, for instance).
    """
    if row.kind != DECODE_ATTENTION:
        return False
    batch, context, _, kv_heads = row.shape
    cache = 2.0 * HEAD_WIDTH * WIDE.kv_cache_bytes * batch * kv_heads * context
    return cache > 2.0 * device.l2_bytes and cache > row.time_s * device.hbm_bytes_per_s

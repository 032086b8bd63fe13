"""What a design keeps in HBM, and the batch that fits."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.latency.memory import kv_cache_bytes, shard, weights_per_device_bytes
from dse.latency.setting import Setting


class Memory(NamedTuple):
    """HBM of one device: weights, KV-cache of one sequence at its end, sequences, what may be used; the batch served.

    `sequences` are those of one copy of attention.
    """

    weights_bytes: float
    sequence_bytes: float
    sequences: float
    usable_bytes: float
    batch: float


def memory(at: Setting) -> Memory:
    """What the design keeps in HBM, and the batch: as given, or the largest that fits (at least one a copy).

        batch = copies x floor( (usable - weights) / KV-cache bytes of one sequence at its full length )
    """
    part, copies = shard(at.model, at.parallelism), at.parallelism.data_parallel
    weights = weights_per_device_bytes(at.model, part, at.parallelism, at.precision)
    tokens = at.traffic.prompt_tokens + at.traffic.output_tokens
    sequence = part.layers * kv_cache_bytes(part, at.precision, tokens)
    usable = at.device.hbm_bytes * at.style.hbm_usable_share
    fits = max(1.0, float(math.floor((usable - weights) / sequence)))
    batch = copies * fits if math.isinf(at.traffic.batch) else at.traffic.batch
    return Memory(weights, sequence, float(math.ceil(batch / copies)), usable, batch)

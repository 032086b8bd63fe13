"""FLOPs and bytes of the operators by hand."""

from __future__ import annotations

from builders import setting, with_device

from dse.latency.machine import machine
from dse.latency.memory import shard
from dse.latency.operators import Tokens, attention, exact_matmul, matmul, vector
from dse.latency.roofline import Operator
from dse.latency.setting import Setting

MIB = 2.0**20


def product(at: Setting, rows: float, inner: float, columns: float) -> Operator:
    return matmul(rows, inner, columns, machine(at.device, at.style, at.precision), at.precision)


def fused_attention(at: Setting, tokens: Tokens) -> Operator:
    on = machine(at.device, at.style, at.precision)
    return attention(tokens, at.model, shard(at.model, at.parallelism), on, at.precision)


def test_qkv_of_llama3_70b() -> None:
    """16 rows, K = 8192, N = (8 + 2) x 128 = 1280, bf16: 2 x 16 x 8192 x 1280 FLOPs, 8192 x 1280 x 2 bytes of weights.

    Through L2: the weights, 16 x 8192 numbers in and 16 x 1280 out, 2 bytes each.
    """
    found = product(setting("a100", number_format="bf16"), 16.0, 8192.0, 1280.0)
    assert found.flops == 335544320.0
    assert found.weight_bytes == 20971520.0
    assert (found.kv_cache_bytes, found.other_bytes) == (0.0, 0.0)
    assert found.l2_bytes == 20971520.0 + 262144.0 + 40960.0


def test_gate_and_up_of_llama3_70b() -> None:
    """16 rows, K = 8192, N = 2 x 3584 = 7168: 1.879 GFLOP, 112 MiB of weights in bf16, 56 MiB in int8."""
    for number_format, mib in (("bf16", 112.0), ("int8", 56.0)):
        found = product(setting(number_format=number_format), 16.0, 8192.0, 7168.0)
        assert found.flops == 1879048192.0
        assert found.weight_bytes == mib * MIB
        assert found.other_bytes == 0.0


def test_a_prompt_spills_what_l2_cannot_hold() -> None:
    """8192 rows of K = N = 8192 in bf16 with 8 MiB of L2.

    Read again: 768 MiB (test_memory). Activations: 128 MiB in and 128 out, less the 8 that fit: 248 MiB.
    """
    at = with_device(setting("a100", number_format="bf16"), l2_bytes=8.0 * MIB)
    assert product(at, 8192.0, 8192.0, 8192.0).other_bytes == (768.0 + 248.0) * MIB


def test_attention_of_a_decode_step() -> None:
    """Batch 16, 2048 tokens cached, 8 query heads and 1 KV head of 128, bf16.

    FLOPs: 4 x 128 x 8 heads for each of 16 x 2049 pairs. Cache: 2 x 128 x 2 bytes x 16 x 2048 = 16 MiB, read once. New
    keys and values: 2 x 128 x 2 x 16 = 8 KiB, written to HBM. Through L2 go the cache, the new ones in and out, and
    the queries and the result, 2 x 16 x 8 x 128 x 2 bytes.
    """
    found = fused_attention(setting("a100", number_format="bf16"), Tokens(16.0, 1.0, 2048.0))
    assert found.flops == 4.0 * 128.0 * 8.0 * 16.0 * 2049.0
    assert found.kv_cache_bytes == 16.0 * MIB
    assert found.other_bytes == 8192.0
    assert found.l2_bytes == 16.0 * MIB + 2.0 * 8192.0 + 65536.0


def test_attention_of_a_prompt() -> None:
    """One prompt of 4096: each query sees the keys up to its own, 4096 x 4097 / 2 pairs; nothing is cached.

    Queries and result: 2 x 8 heads x 4096 x 128 x 2 bytes = 16 MiB; keys and values 2 x 128 x 4096 x 2 = 2 MiB. These
    are written, and read once (the queries of a head, 1 MiB, fit in L2): 2 + 18 MiB, less the 8 that stay in L2.
    """
    at = with_device(setting("a100", number_format="bf16"), l2_bytes=8.0 * MIB)
    found = fused_attention(at, Tokens(1.0, 4096.0, 0.0))
    assert found.flops == 4.0 * 128.0 * 8.0 * 4096.0 * 4097.0 / 2.0
    assert found.kv_cache_bytes == 0.0
    assert found.other_bytes == (2.0 + 18.0 - 8.0) * MIB


def test_a_norm_and_an_activation() -> None:
    """Norm with residual: 5 FLOPs an element, read twice, written twice; 16 x 8192 x 4 x 2 bytes = 1 MiB, all in L2."""
    at = setting("a100", number_format="bf16")
    found = vector(16.0 * 8192.0, 5.0, 4.0, machine(at.device, at.style, at.precision), at.precision)
    assert (found.flops, found.l2_bytes, found.other_bytes) == (655360.0, MIB, 0.0)


def test_logits_stay_in_16_bits() -> None:
    """int8 layers: 16032 tokens x 8192 x 2 bytes all the same, and at half the rate: 16 bits, not 8."""
    at, wide = setting(), setting(number_format="bf16")
    found, reference = (exact_matmul(4.0, one.model.width, shard(one.model, one.parallelism).vocabulary,
                               machine(one.device, one.style, one.precision), one.precision) for one in (at, wide))
    assert found == reference
    assert found.weight_bytes == 250.5 * MIB

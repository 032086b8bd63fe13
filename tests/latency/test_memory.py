"""Bytes by hand: shares of a layer and their padding, weights, KV-cache, and what a small L2 reads again."""

from __future__ import annotations

import math

import pytest
from builders import option, setting

from dse.latency.memory import (
    Shard,
    kv_cache_bytes,
    matmul_l2_bytes,
    reread_bytes,
    shard,
    spilled_bytes,
    weights_per_device_bytes,
)
from dse.model.language_model import language_model
from dse.workload import Parallelism

MIB = 2.0**20


def model_shard(model: str, tensor_parallel: float, pipeline_parallel: float = 1.0) -> Shard:
    return shard(language_model(option("model", model)), Parallelism(tensor_parallel, pipeline_parallel))


def test_llama3_70b_divides_by_eight() -> None:
    """64 / 8 query heads, 8 / 8 KV heads (2 x 128 numbers a token), 28672 / 8 columns, 128256 / 8 tokens, 80 / 4."""
    assert model_shard("llama3_70b", 8.0, 4.0) == Shard(8.0, 256.0, 3584.0, 16032.0, 20.0, 0.0, 0.0, 0.0)


def test_phi3_medium_is_padded_on_eight_devices() -> None:
    """10 KV heads on 8 devices: 2 on the fullest, as if there were 16; 40 / 8 = 5 query heads divide."""
    assert model_shard("phi3_medium", 8.0) == Shard(5.0, 512.0, 2240.0, 4008.0, 40.0, 0.0, 0.0, 0.0)


def test_qwen2_7b_is_padded_on_eight_devices() -> None:
    """28 / 8 = 3.5 query heads become 4, as if there were 32; each of the 4 KV heads stands on two devices."""
    assert model_shard("qwen2_7b", 8.0) == Shard(4.0, 256.0, 2368.0, 19008.0, 28.0, 0.0, 0.0, 0.0)


def test_layers_and_vocabulary_are_padded() -> None:
    """28 layers on 3 stages: 10 on the fullest; 152064 / 7 = 21723.4 tokens become 21724."""
    part = model_shard("qwen2_7b", 7.0, 3.0)
    assert (part.layers, part.vocabulary) == (10.0, 21724.0)


def test_weights_of_a_layer_in_int8() -> None:
    """One layer of Llama-3-70B on eight devices, 1 byte a weight.

    QKV 8192 x (8 + 1 + 1) x 128 = 10 MiB; output 8 x 128 x 8192 = 8 MiB; gate, up and down 3 x 8192 x 3584 = 84 MiB;
    in all 102 MiB. Embedding and logits in bf16: 2 x 16032 x 8192 x 2 bytes = 501 MiB.
    """
    at = setting()
    part = shard(at.model, at.parallelism)
    weights = weights_per_device_bytes(at.model, part, at.parallelism, at.precision)
    assert weights == (80.0 * (10.0 + 8.0 + 84.0) + 501.0) * MIB


def test_one_embedding_matrix_on_the_ends_of_a_pipeline() -> None:
    """Two stages: 40 layers each, and either the embedding or the logits, 250.5 MiB."""
    at = setting(pipeline_parallel=2.0)
    part = shard(at.model, at.parallelism)
    assert weights_per_device_bytes(at.model, part, at.parallelism, at.precision) == (40.0 * 102.0 + 250.5) * MIB


def test_kv_cache_of_grouped_queries() -> None:
    """Keys and values of 4 x 16384 tokens, one head of 128 on each of eight devices, in one layer.

    2 x 1 x 128 = 256 numbers a token: 16 MiB in int8, 32 MiB in bf16; not the 128 MiB that 8 query heads would keep.
    """
    for number_format, mib in (("int8", 16.0), ("bf16", 32.0)):
        at = setting(number_format=number_format)
        part = shard(at.model, at.parallelism)
        assert kv_cache_bytes(part, at.precision, 4.0 * 16384.0) == mib * MIB


def test_replicated_kv_heads_keep_more() -> None:
    """Qwen2-7B on 8 devices keeps 8 x 1 heads where 4 would do; a device's share stops shrinking at TP = 4."""
    kept = []
    for devices in (2.0, 4.0, 8.0):
        at = setting(model="qwen2_7b", tensor_parallel=devices)
        kept.append(kv_cache_bytes(shard(at.model, at.parallelism), at.precision, 1.0))
    assert kept == [2.0 * 2.0 * 128.0, 2.0 * 1.0 * 128.0, 2.0 * 1.0 * 128.0]


def test_a_large_product_reads_again() -> None:
    """M = K = N = 8192 in bf16 with 2 MiB of L2: 2^20 numbers, a block of 1024 x 1024.

    2 M N K = 2^40 numbers; / sqrt(2^20) = 2^30; x 2 bytes = 2 GiB. Each input once: 2 x 2^26 x 2 bytes = 256 MiB. So
    2048 - 256 = 1792 MiB again. With four times the L2 half of the 2 GiB: 768 MiB.
    """
    assert reread_bytes(8192.0, 8192.0, 8192.0, 2.0, 2.0, 2.0 * MIB) == 1792.0 * MIB
    assert reread_bytes(8192.0, 8192.0, 8192.0, 2.0, 2.0, 8.0 * MIB) == 768.0 * MIB


def test_mixed_precision_takes_the_mean_width() -> None:
    """int8 weights, bf16 activations: 1.5 bytes a number. C / b = 2^20 with 1.5 MiB: 2^30 x 1.5 bytes - 3 x 2^26."""
    assert reread_bytes(8192.0, 8192.0, 8192.0, 1.0, 2.0, 1.5 * MIB) == (1536.0 - 192.0) * MIB


def test_decode_reads_once() -> None:
    """16 rows: 2 x 16 x N K x 2 bytes / 2048 with 8 MiB is a thirty-second of the N K x 2 bytes read anyway."""
    assert reread_bytes(16.0, 8192.0, 7168.0, 2.0, 2.0, 8.0 * MIB) == 0.0


def test_bytes_through_l2() -> None:
    """4096^3 in bf16 by tiles of 256: 4096^3 x 4 bytes / 256 = 1 GiB; one row reads 8 KiB and 32 MiB once."""
    assert matmul_l2_bytes(4096.0, 4096.0, 4096.0, 2.0, 2.0, 256.0) == 1024.0 * MIB
    assert matmul_l2_bytes(1.0, 4096.0, 4096.0, 2.0, 2.0, 256.0) == 32.0 * MIB + 8192.0


def test_activations_spill_when_they_do_not_fit() -> None:
    assert [spilled_bytes(mib * MIB, 8.0 * MIB) for mib in (1.0, 8.0, 9.0)] == [0.0, 0.0, MIB]


@pytest.mark.parametrize("devices", [float(count) for count in range(1, 17)])
def test_shares_cover_the_model(devices: float) -> None:
    """The devices' shares together hold every head and column, and less than one more on each device."""
    model = language_model(option("model", "phi3_medium"))
    part = shard(model, Parallelism(devices, 1.0))
    kv_heads = part.kv_elements / (2.0 * model.head_width)
    pairs = ((part.query_heads, model.query_heads), (kv_heads, model.kv_heads), (part.ffn_width, model.ffn_width))
    for share, count in pairs:
        assert count <= share * devices < count + devices
        assert share == math.floor(share)

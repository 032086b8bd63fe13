"""`dse evaluate` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import refused

from dse.cli.main import main
from dse.objective import VIOLATIONS, Metrics


def evaluate(capsys: pytest.CaptureFixture[str], *overrides: str) -> dict[str, Any]:
    assert main(["evaluate", "output=json", *overrides]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_json_is_the_stated_object(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = evaluate(capsys)
    assert {"design", "technique", "baseline", "technique_metrics", "speedup", "performance_per_cost_gain"} <= set(
        answer)
    for side in ("baseline", "technique_metrics"):
        metrics = answer[side]
        assert set(metrics) == {"latency", "area", "cost", "objective", "feasible", "violations"}
        assert {"ttft_s", "tpot_s", "request_s", "throughput_tokens_per_s", "operators"} <= set(metrics["latency"])
        assert {"phase", "name", "time_s", "bound", "hidden_s", "hbm_bytes"} <= set(metrics["latency"]["operators"][0])
        assert set(metrics["area"]) == {"die_mm2", "blocks_mm2"}
        assert {"die_usd", "device_usd", "group_usd", "items_usd", "usd_per_hour", "usd_per_million_tokens"} <= set(
            metrics["cost"])
        assert {"tokens_per_s_per_mm2", "tokens_per_s_per_usd"} <= set(metrics["objective"])
        assert isinstance(metrics["feasible"], bool)
        assert set(metrics["violations"]) == set(VIOLATIONS)
    assert answer["technique"] == "preserve"
    assert list(tmp_path.iterdir()) == []


def test_the_parts_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    answer = evaluate(capsys)
    for side in ("baseline", "technique_metrics"):
        metrics = answer[side]
        latency = metrics["latency"]
        for phase, total in (("prefill", latency["ttft_s"]), ("decode", latency["tpot_s"])):
            times = [entry["time_s"] for entry in latency["operators"] if entry["phase"] == phase]
            assert sum(times) == pytest.approx(total, rel=1e-12)
        assert sum(metrics["area"]["blocks_mm2"].values()) == pytest.approx(metrics["area"]["die_mm2"], rel=1e-12)
        assert sum(metrics["cost"]["items_usd"].values()) * 8 == pytest.approx(metrics["cost"]["group_usd"], rel=1e-12)
    hidden = sum(entry["hidden_s"] for entry in answer["technique_metrics"]["latency"]["operators"]
                 if entry["phase"] == "decode")
    saved = answer["baseline"]["latency"]["tpot_s"] - answer["technique_metrics"]["latency"]["tpot_s"]
    assert hidden == pytest.approx(saved, rel=1e-9)


def test_energy_of_the_operators_and_of_idling_adds_up_to_the_power(capsys: pytest.CaptureFixture[str]) -> None:
    """Dynamic energy of a request's prefill and steps on one device, and 0.092 of the 400 W that it draws anyway."""
    answer = evaluate(capsys, "technique=none")
    found, design = answer["baseline"], answer["design"]
    joules = {phase: sum(sum(entry["energy_j"].values()) for entry in found["latency"]["operators"]
                         if entry["phase"] == phase) for phase in ("prefill", "decode")}
    steps = 16384 - round(16384 * 2 / 3) - 1
    static_w = design["cost"]["core"]["static_share"] * design["hardware"]["tdp_w"]
    power_w = (joules["prefill"] + steps * joules["decode"]) / found["latency"]["request_s"] + static_w
    assert power_w == pytest.approx(found["cost"]["device_power_w"], rel=1e-3)


def test_dollars_say_which_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(capsys)["dollars"] == "nominal USD of 2018 to 2026"
    assert main(["evaluate"]) == 0
    assert "cost of one device by item, nominal USD of 2018 to 2026" in capsys.readouterr().out


def test_the_parts_add_up_in_a_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    answer = evaluate(capsys, "parallelism.tensor_parallel=4", "parallelism.pipeline_parallel=2")
    latency = answer["baseline"]["latency"]
    for phase, total in (("prefill", latency["ttft_s"]), ("decode", latency["tpot_s"])):
        times = [entry["time_s"] for entry in latency["operators"] if entry["phase"] == phase]
        assert sum(times) == pytest.approx(total, rel=1e-12)


def test_table_is_printed_and_names_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "hardware=h100", "precision=fp8"]) == 0
    text = capsys.readouterr().out
    for word in ("preserve", "none", "speed-up", "time to first token", "gate_up", "bound by", "USD per million"):
        assert word in text


def test_overrides_change_the_design(capsys: pytest.CaptureFixture[str]) -> None:
    small = evaluate(capsys, "hardware.l2_mib=8")
    large = evaluate(capsys, "hardware.l2_mib=104", "parallelism.tensor_parallel=8")
    assert large["design"]["hardware"]["l2_mib"] == 104
    assert large["speedup"] > small["speedup"] > 1.0
    assert large["baseline"]["area"]["die_mm2"] > small["baseline"]["area"]["die_mm2"]


def test_no_technique_gives_the_baseline_twice(capsys: pytest.CaptureFixture[str]) -> None:
    answer = evaluate(capsys, "technique=none")
    assert answer["baseline"] == answer["technique_metrics"]
    assert answer["speedup"] == answer["performance_per_cost_gain"] == 1.0


def test_padding_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    notes = evaluate(capsys, "model=qwen2_7b", "parallelism.tensor_parallel=8")["notes"]
    assert any("28 query heads do not divide by tensor_parallel=8" in note for note in notes)


def test_parallelism_that_a_model_has_no_use_for_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    """Without experts neither dealing them nor sending tokens to them means anything; left-over devices hold none."""
    dense = evaluate(capsys, "parallelism.expert_parallel=4", "parallelism.all_to_all=true")["notes"]
    assert any("no experts: parallelism.expert_parallel=4 changes nothing" in note for note in dense)
    assert any("parallelism.all_to_all=true deals its tokens" in note for note in dense)
    mixed = evaluate(capsys, "model=mixtral_8x7b", "parallelism.expert_parallel=3")["notes"]
    assert any("8 devices of a stage do not divide by expert_parallel=3" in note for note in mixed)


def test_more_parts_than_devices_are_a_violation(capsys: pytest.CaptureFixture[str]) -> None:
    """16 parts on 8 devices: 16 / 8 - 1; the devices that there are hold what is dealt to as many of the parts."""
    found = evaluate(capsys, "model=mixtral_8x7b", "parallelism.expert_parallel=16")["baseline"]
    assert found["violations"]["expert_devices"] == 1.0
    assert not found["feasible"]


def test_kinds_of_parallelism_are_named_in_the_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "model=mixtral_8x7b", "parallelism.expert_parallel=8", "parallelism.all_to_all=true"]) == 0
    assert "(tensor_parallel=8, expert_parallel=8, all_to_all=True)" in capsys.readouterr().out


def test_a_parameter_of_another_technique_is_refused_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    text = refused(capsys, "evaluate", "technique=none", "technique.limit_mib=4")
    assert "technique.limit_mib is unknown to an option that is chosen for technique" in text


def test_model_from_a_hugging_face_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
        "hidden_act": "silu", "tie_word_embeddings": False}))
    from_file = evaluate(capsys, f"model.huggingface={path}")
    shipped = evaluate(capsys, "model=llama3_8b")
    assert from_file["baseline"]["latency"]["tpot_s"] == shipped["baseline"]["latency"]["tpot_s"]
    fewer = evaluate(capsys, f"model.huggingface={path}", "model.layers=16")
    assert fewer["design"]["model"]["layers"] == 16


def test_own_options_from_a_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "technique"
    folder.mkdir(parents=True)
    (folder / "small_window.yaml").write_text(
        "name: small_window\nmethod: preserve\nweights: true\nkv_cache: true\nlimit_mib: 4\n")
    answer = evaluate(capsys, "technique=small_window", "--config-dir", str(tmp_path / "mine"))
    assert answer["technique"] == "small_window"
    assert 1.0 < answer["speedup"] < evaluate(capsys)["speedup"]


def test_multirun_with_hydras_basic_sweeper_writes_a_result_for_each_job(
        capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["evaluate", "-m", "technique=none,preserve", "hardware.l2_mib=8,64", "output=json",
                 "hydra.sweep.dir=jobs"]) == 0
    capsys.readouterr()
    found = [json.loads((tmp_path / "jobs" / str(job) / "result.json").read_text()) for job in range(4)]
    assert [(one["technique"], one["design"]["hardware"]["l2_mib"]) for one in found] == [
        ("none", 8), ("none", 64), ("preserve", 8), ("preserve", 64)]


def test_help_of_every_verb_has_two_examples(capsys: pytest.CaptureFixture[str]) -> None:
    from dse.cli.main import VERBS

    for verb in VERBS:
        assert main([verb, "--help"]) == 0
        text = capsys.readouterr().out
        assert text.startswith(f"usage: dse {verb}")
        examples = text.partition("examples:\n")[2]
        assert sum(line.startswith(f"  dse {verb} ") for line in examples.splitlines()) >= 2, verb


def test_help_and_version_import_nothing_heavy() -> None:
    heavy = ["numpy", "numba", "optuna", "matplotlib", "hydra", "omegaconf", "scipy", "pyarrow"]
    check = ("import sys; from dse.cli.main import main; main(['--help']); main(['--version']); "
             f"print([name for name in {heavy} if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_metrics_are_named_once() -> None:
    assert len(set(Metrics._fields)) == len(Metrics._fields)
    assert set(VIOLATIONS) < set(Metrics._fields)


def test_the_largest_batch_that_fits_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluate(capsys, "traffic.batch=max")["baseline"]
    batch = found["latency"]["batch"]
    assert found["violations"]["hbm_capacity"] <= 0.0
    assert evaluate(capsys, f"traffic.batch={batch:.0f}")["baseline"]["latency"] == found["latency"]
    assert evaluate(capsys, f"traffic.batch={batch + 1:.0f}")["baseline"]["violations"]["hbm_capacity"] > 0.0


def test_joblib_launcher_runs_the_jobs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["evaluate", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hardware.l2_mib=8,64",
                 "hydra.sweep.dir=jobs"]) == 0
    capsys.readouterr()
    found = [json.loads((tmp_path / "jobs" / str(job) / "result.json").read_text()) for job in range(2)]
    assert [one["design"]["hardware"]["l2_mib"] for one in found] == [8, 64]
    assert found[0]["speedup"] < found[1]["speedup"]


SERVED = ("hardware=h100", "model=llama3_8b", "precision=bf16", "parallelism.tensor_parallel=8",
          "traffic.prompt_tokens=1024", "traffic.output_tokens=512", "serving=closed_loop", "serving.clients=16")


def test_serving_stands_beside_static_batching(capsys: pytest.CaptureFixture[str]) -> None:
    plain = evaluate(capsys, *SERVED[:-2])
    answer = evaluate(capsys, *SERVED)
    free = evaluate(capsys, *SERVED, "server=none")
    assert answer["design"]["serving"]["clients"] == 16
    assert answer["design"]["server"]["name"] == "vllm"
    for side in ("baseline", "technique_metrics"):
        assert "serving" not in plain[side]
        found = answer[side].pop("serving")
        assert answer[side] == plain[side]
        assert found["ttft_s"] > free[side]["serving"]["ttft_s"] > 0.0  # vllm takes 15 ms to see a request
        assert found["throughput_tokens_per_s"] == pytest.approx(16.0 * 512.0 / found["request_s"], rel=0.1)
    assert free["technique_metrics"]["serving"]["tpot_s"] < free["baseline"]["serving"]["tpot_s"]


def test_the_report_says_what_clients_see(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *SERVED]) == 0
    assert "continuous batching, 16 clients with 10 requests each, software of vllm" in capsys.readouterr().out


def test_the_report_names_the_tokens_that_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *SERVED[:-2]]) == 0
    assert "1024 prompt + 512 output tokens" in capsys.readouterr().out


def test_serving_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "serving.clients=0" in refused(capsys, "evaluate", *SERVED[:-1], "serving.clients=0")
    assert "goes with an option" in refused(capsys, "evaluate", "server=vllm")
    assert "add +server=vllm to a load of your own" in refused(capsys, "evaluate", "+serving.clients=2")
    assert "one request's KV-cache" in refused(capsys, "evaluate", *SERVED[:-3], "serving=closed_loop",
                                               "hardware.hbm_gb=4", "traffic.batch=1", "traffic.prompt_tokens=400000")
    for verb in ("sweep", "search", "uncertainty"):
        assert "`dse evaluate` alone" in refused(capsys, verb, "hardware.l2_mib=8,16", "serving=closed_loop")
    assert "`dse evaluate` alone" in refused(capsys, "explain", "die_usd", "serving=closed_loop")


def test_a_request_must_fit_in_one_copy_of_attention(capsys: pytest.CaptureFixture[str]) -> None:
    """A million tokens of Llama-3-8B, 2 x 8 x 128 x 2 x 32 B each, are 131 GB: more than an H100 holds, not than 8."""
    said = refused(capsys, "evaluate", *SERVED, "traffic.batch=1", "parallelism.tensor_parallel=1",
                   "parallelism.data_parallel=8", "traffic.prompt_tokens=1000000")
    assert "1000512 tokens" in said
    assert "fit in each copy of attention" in said


def test_a_prompt_that_is_not_cut_must_fit_in_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "evaluate", *SERVED, "serving.chunked=false", "serving.step_tokens=1023")
    assert "serving.step_tokens=1023" in said
    assert "at least a prompt, 1024 tokens" in said
    found = evaluate(capsys, *SERVED, "serving.chunked=false", "serving.step_tokens=1024")
    assert found["baseline"]["serving"]["ttft_s"] > 0.0


@pytest.mark.parametrize("style", ["gpu", "npu"])
def test_a_short_ring_can_be_asked_of_any_style(capsys: pytest.CaptureFixture[str], style: str) -> None:
    plain = evaluate(capsys, "hardware=h100", f"latency={style}")
    assert plain["design"]["latency"]["short_ring"] is False
    ring = evaluate(capsys, "hardware=h100", f"latency={style}", "latency.short_ring=true")
    assert ring["baseline"]["latency"]["tpot_s"] != plain["baseline"]["latency"]["tpot_s"]
    assert "takes true or false" in refused(capsys, "evaluate", f"latency={style}", "latency.short_ring=2")

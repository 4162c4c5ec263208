"""The benchmark for a GPU, on a CPU: losses, rows, time, and what it imports."""

import ast
import json
import types

import jax
import jax_process
import pytest
from jax.experimental import rnn

from benchmarks import gpu, gpu_baseline, gpu_models, gpu_rows

# What a machine with a card need not have.
ABSENT = ("tensorflow", "tensorflow_datasets", "keras_nlp", "keras_hub", "torch")
ABSENT += ("PIL", "matplotlib", "sentencepiece", "sklearn", "ai_edge_litert")
HLO = """HloModule jit_step

%fused (p: f32[2]) -> f32[2] {
  ROOT %t = f32[2] tanh(%p)
}

%region_0.body (arg: (s32[], f32[2])) -> (s32[], f32[2]) {
  %h = f32[2] custom-call(%arg), custom_call_target="__cublas$gemm"
  ROOT %f = f32[2] fusion(%h), kind=kLoop, calls=%fused
}

ENTRY %main (x: f32[2]) -> f32[2] {
  %f.1 = f32[2] fusion(%x), kind=kLoop, calls=%fused
  ROOT %w = (s32[], f32[2]) while(%f.1), condition=%c, body=%region_0.body
}
"""


def run(tmp_path, *flags):
    """Runs the command without what need not be there; returns it and its results."""
    (tmp_path / "sitecustomize.py").write_text(jax_process.without(*ABSENT))
    path = f"{tmp_path}:{jax_process.ROOT}"
    output = tmp_path / "gpu.json"
    command = ["-m", "benchmarks.gpu", "--quick", f"--output={output}", *flags]
    command.append("--minutes=60")  # no row is left out on a slow machine
    done = jax_process.run(*command, PYTHONPATH=path)
    assert "Traceback" not in done.stderr, done.stderr
    return done, json.loads(output.read_text())


def test_a_loss_that_differs_and_a_row(tmp_path):
    """In one run, and with the losses that are in the repository."""
    path = jax_process.ROOT / "benchmarks/results/gpu_expected_losses.json"
    expected = json.loads(path.read_text())
    expected["losses"]["LSTM"][2] *= 1 + 3 * gpu.TOLERANCE
    changed = tmp_path / "expected.json"
    changed.write_text(json.dumps(expected))
    flags = ["--models=LSTM,GRU", f"--expected={changed}", "--cells=GRU"]
    names = ["kerasseq", "torch", "keras", "unroll_1"]
    flags += [f"--baselines={','.join(names)}", "--precisions=tf32"]
    done, report = run(tmp_path, *flags)
    assert done.returncode == 1, done.stderr
    assert not report["models"]["LSTM"]["agrees"]
    assert report["models"]["GRU"]["agrees"]
    assert report["machine"]["platform"] == "cpu" and report["skipped"] == []
    (row,) = report["rows"]
    results = row["baselines"]
    assert list(results) == names
    assert results["torch"] == {"not_available": "PyTorch is not installed"}
    assert results["unroll_1"] == {"not_available": "needs a GPU"}
    assert results["kerasseq"]["last_loss"] < results["kerasseq"]["first_loss"]
    ours, other = (results[name]["median_ms"] for name in ("kerasseq", "keras"))
    assert row["ratios"] == {"keras": pytest.approx(other / ours)}
    assert f"| {ours:.3f} | - | {other / ours:.2f} x | - |" in done.stdout


@pytest.mark.slow
def test_all_models_and_rows(tmp_path):
    done, report = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert report["models"].keys() == gpu_models.MODELS.keys()
    for result in report["models"].values():
        assert result["losses"][-1] < result["losses"][0]
    pairs = {(row["cell"], row["precision"]) for row in report["rows"]}
    assert len(pairs) == len(gpu_rows.CELLS) * len(gpu_rows.PRECISIONS)
    for row in report["rows"]:
        assert not [x for x in row["baselines"].values() if "error" in x]
        assert row["ratios"].keys() == {"keras"}


@pytest.mark.slow
def test_losses_are_recorded(tmp_path):
    path = tmp_path / "losses.json"
    command = ["-m", "benchmarks.gpu", "--record", "--models=unet"]
    assert jax_process.run(*command, f"--expected={path}").returncode == 0
    (losses,) = json.loads(path.read_text())["losses"].values()
    assert len(losses) == gpu.NUM_LOSSES and losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    "argument, message",
    [
        ("--rows=huge", "stacked, wide"),
        ("--precisions=int8", "tf32, float32"),
        ("--expected=none.json", "'none.json' has no losses of LSTM"),
    ],
)
def test_bad_flags(argument, message, capsys):
    assert gpu.run(["--quick", argument]) == 2
    assert message in capsys.readouterr().err


def test_without_a_gpu_it_says_so(monkeypatch, capsys):
    for name, value in jax_process.environment().items():
        monkeypatch.setenv(name, value)
    assert gpu.run([]) == 2
    assert "JAX finds no GPU; --quick" in capsys.readouterr().err


def test_rows_that_no_time_is_left_for(monkeypatch):
    clock = [100.0]

    def measure(flags, processes, platform, row):
        clock[0] -= 30
        return row | {"baselines": {}, "ratios": {}}

    monkeypatch.setattr(gpu_rows, "measure", measure)
    flags = types.SimpleNamespace(
        precisions=gpu_rows.PRECISIONS, rows=["wide"], cells=gpu_rows.CELLS
    )
    report = {"machine": {"platform": "gpu"}, "rows": [], "skipped": []}
    processes = types.SimpleNamespace(seconds_left=lambda: clock[0])
    saved = []
    gpu.measure_rows(flags, processes, report, lambda: saved.append(clock[0]))
    names = [row["name"] for row in gpu_rows.rows(flags)]
    assert [row["name"] for row in report["rows"]] == names[:2]
    assert report["skipped"] == names[2:]
    assert len(saved) == len(names)


def test_rows_come_by_precision():
    flags = gpu.define_flags()
    flags(["gpu"])
    rows = list(gpu_rows.rows(flags))
    assert len(rows) == 4 * 2 * 3
    assert rows[0]["name"] == "2 x LSTM (32, 64, 128, 256), tf32"
    assert {row["precision"] for row in rows[:8]} == {"tf32"}
    assert rows[-1]["sizes"] == (128, 512, 512, 768)


def test_why_a_baseline_is_not_measured():
    def reason(name, cell="LSTM", precision="tf32", platform="gpu"):
        row = {"cell": cell, "precision": precision}
        return gpu_rows.why_not(name, row, platform) or ""

    assert not reason("jax_rnn") and not reason("unroll_16")
    assert "LSTM alone" in reason("jax_rnn", cell="GRU")
    assert "float32 alone" in reason("jax_rnn", precision="bfloat16")
    assert "tf32 alone" in reason("unroll_16", precision="float32")
    assert "GPU" in reason("jax_rnn", platform="cpu")
    assert "GPU" in reason("unroll_1", platform="cpu")


def test_a_baseline_that_computes_something_else_has_no_time():
    results = {
        "kerasseq": {"median_ms": 2.0, "first_loss": 1.0},
        "keras": {"median_ms": 6.0, "first_loss": 1.1},
        "torch": {"median_ms": 1.0, "first_loss": 7.0},
        "jax_rnn": {"not_available": "needs a GPU"},
    }
    gpu_rows.refuse_nonsense(results)
    assert results["torch"] == {"error": "its loss is 7, ours 1"}
    assert gpu_rows.ratios(results) == {"keras": 3.0}


@pytest.mark.parametrize("steps", [1, 16])
def test_how_many_steps_an_iteration_has(steps):
    """In a process of its own, where JAX says that its CPU is a GPU."""
    program = f"""
import jax
jax.default_backend = lambda: "gpu"
from benchmarks import gpu_baseline
prepare, facts = gpu_baseline.load("kerasseq", num_threads=2, cell="LSTM",
    sizes=(2, 40, 3, 4), num_layers=1, precision="float32", unroll={steps})
print(prepare()(), facts["kernels_in_loops"])
"""
    done = jax_process.run("-c", program)
    assert done.returncode == 0, done.stderr
    kernels = max(ast.literal_eval(done.stdout.split(" ", 1)[1]))
    assert (kernels > 40) == (steps == 16), done.stdout


def test_kernels_in_loops():
    assert gpu_baseline.kernels_in_loops(HLO) == [2]


def test_step_of_cudnn(monkeypatch):
    """Its shapes: only a GPU can run it."""
    sizes = lambda *_: (0, 8)  # noqa: E731
    stub = types.SimpleNamespace(compute_rnn_workspace_reserve_space_sizes=sizes)
    monkeypatch.setattr(rnn, "gpu_rnn", stub)
    weights, forward = gpu_baseline.jax_rnn((2, 5, 3, 4), 2)
    x, y = jax.numpy.zeros((2, 5, 3)), jax.numpy.zeros((2, 5, 4))
    (new,), loss = jax.eval_shape(
        lambda *arrays: gpu_baseline.train_step(forward, *arrays), weights, x, y
    )
    assert new.shape == weights[0].shape and loss.shape == ()

"""The recipes on JAX where TensorFlow cannot be imported, from training to the file."""

import json
import pathlib

import jax_process
import keras
import pytest

ROOT = pathlib.Path(__file__).parents[2]
TINY = {
    "classify_image": [
        *("--epochs=2", "--limit=100", "--hidden_dim=32", "--num_layers=1"),
        *("--num_heads=2", "--mlp_dim=48", "--warmup_steps=2", "--quantize=int8"),
    ],
    "generate": [
        *("--epochs=2", "--units=32", "--arch=gru", "--num_layers=1", "--length=16"),
        *("--batch_size=4", "--prompt_length=12", "--max_length=30"),
        "--quantize=dynamic",
    ],
    "segment": ["--epochs=1", "--width=8", "--depth=2", "--quantize=float16,int8"],
    "translate": [
        *("--num_examples=600", "--vocab_size=400", "--units=32", "--epochs=1"),
        *("--embedding_dim=32", "--buckets=1", "--beam_size=3", "--quantize=dynamic"),
    ],
}
RUN = """
import runpy
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""

PROGRAM = jax_process.WITHOUT_TENSORFLOW + RUN

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="starts processes on JAX itself"
)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", TINY)
def test_the_whole_job(recipe, tmp_path):
    arguments = [f"recipes.{recipe}", *TINY[recipe], f"--output_dir={tmp_path}"]
    if recipe == "generate":
        text = tmp_path / "text.txt"
        text.write_text("the cat sat on the mat and the dog sat on the log\n" * 60)
        arguments.append(f"--data={text}")
    result = jax_process.run("-c", PROGRAM, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    full, *smaller = report["artifacts"]
    wanted = next(x for x in TINY[recipe] if x.startswith("--quantize"))
    assert [x["precision"] for x in smaller] == wanted.partition("=")[2].split(",")
    for entry in report["artifacts"]:
        assert entry["flex_ops"] == entry["custom_ops"] == []
    assert full["max_abs_diff"] is None or full["max_abs_diff"] <= 1e-4
    names = ("model.keras", "card.json", "report.html")
    assert all((tmp_path / name).exists() for name in names)
    assert not (tmp_path / "saved_model").exists()

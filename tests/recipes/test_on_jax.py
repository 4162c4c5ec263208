"""The recipes on JAX where TensorFlow is not installed, from training to the use."""

import configparser
import json
import pathlib
import venv

import jax_process
import keras
import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
# They need TensorFlow, and no recipe needs them on JAX.
WITH_TENSORFLOW = ("keras-nlp", "tensorflow", "tensorflow-datasets", "tensorboard")
TINY = {
    "caption": [
        *("--num_examples=160", "--widths=4,8", "--units=16", "--embedding_dim=16"),
        *("--epochs=1", "--beam_size=3", "--quantize=dynamic"),
    ],
    "classify_image": [
        *("--epochs=2", "--limit=100", "--hidden_dim=32", "--num_layers=1"),
        *("--num_heads=2", "--mlp_dim=48", "--warmup_steps=2", "--quantize=int8"),
    ],
    "classify_text": [
        *("--epochs=2", "--num_examples=400", "--arch=bigru", "--pooling=attention"),
        *("--units=32", "--embedding_dim=32", "--quantize=dynamic"),
    ],
    "forecast": [
        *("--epochs=1", "--arch=gru", "--units=8", "--num_layers=1", "--look_back=24"),
        *("--horizon=6", "--batch_size=128", "--quantize=float16"),
        "--data=series.csv",
    ],
    "generate": [
        *("--epochs=2", "--units=32", "--arch=gru", "--num_layers=1", "--length=16"),
        *("--batch_size=4", "--prompt_length=12", "--max_length=30"),
        *("--quantize=dynamic", "--data=text.txt"),
    ],
    "segment": ["--epochs=1", "--width=8", "--depth=2", "--quantize=float16,int8"],
    "tag": [
        *("--num_examples=400", "--arch=gru", "--units=16", "--embedding_dim=16"),
        *("--epochs=2", "--noper_word", "--quantize=float16"),
    ],
    "translate": [
        *("--num_examples=600", "--vocab_size=400", "--units=32", "--epochs=1"),
        *("--embedding_dim=32", "--buckets=1", "--beam_size=3", "--quantize=dynamic"),
    ],
}
USE = {
    "caption": "--images=image.png",
    "classify_image": "--images=image.png",
    "classify_text": "--classify=The soup was not bad.",
    "forecast": "--history=series.csv",
    "generate": "--prompt=the cat",
    "segment": "--images=image.png",
    "tag": "--tag=The bat flew away.",
    "translate": "--translate=Thursday, May 4, 1995",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        keras.backend.backend() == "jax", reason="starts processes on JAX itself"
    ),
]


def requirements():
    """What the package needs on JAX, with the extras of the export and the recipes."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    extras = settings["options.extras_require"]
    lines = settings["options"]["install_requires"] + extras["jax"]
    lines += extras["litert"] + extras["recipes"]
    lines = [line for line in lines.splitlines() if line and line[0] not in "#%"]
    return [x for x in lines if not x.startswith(WITH_TENSORFLOW)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs Python where TensorFlow is not installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)

    def run(*command):
        result = jax_process.run(*command, python=folder / "bin" / "python")
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    run("-m", "pip", "install", "--quiet", *requirements())
    assert "tensorflow" not in run("-m", "pip", "list").lower()
    return run


@pytest.mark.parametrize("recipe", TINY)
def test_the_whole_job(run, recipe, tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat on the mat and on the log\n" * 90)
    hours = np.datetime64("2024-01-01T00") + np.arange(800)
    rows = [f"{hour},{k % 24}" for k, hour in enumerate(hours)]
    (tmp_path / "series.csv").write_text("\n".join(["date,y", *rows]))
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64), "uint8")
    Image.fromarray(pixels).save(tmp_path / "image.png")
    arguments = TINY[recipe]
    for name in ("text.txt", "series.csv"):
        arguments = [x.replace(name, f"{tmp_path}/{name}") for x in arguments]
    output_dir = tmp_path / "run"
    run("-m", f"recipes.{recipe}", *arguments, f"--output_dir={output_dir}")
    report = json.loads((output_dir / "report.json").read_text())
    full, *smaller = report["artifacts"]
    wanted = next(x for x in TINY[recipe] if x.startswith("--quantize"))
    assert [x["precision"] for x in smaller] == wanted.partition("=")[2].split(",")
    for entry in report["artifacts"]:
        assert entry["flex_ops"] == entry["custom_ops"] == []
    assert full["max_abs_diff"] is None or full["max_abs_diff"] <= 1e-4
    names = ("model.keras", "card.json", "report.html")
    assert all((output_dir / name).exists() for name in names)
    assert not (output_dir / "saved_model").exists()
    use = USE[recipe].replace("image.png", f"{tmp_path}/image.png")
    use = use.replace("series.csv", f"{tmp_path}/series.csv")
    options = [f"--from={output_dir}", f"--output_dir={tmp_path}/used"]
    assert run("-m", f"recipes.{recipe}", use, *options).strip()

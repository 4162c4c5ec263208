"""The vision models of the benchmark: same weights everywhere, and a small run."""

import importlib.util
import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import training_baselines, vision_train, vision_train_baseline
from kerasseq import models

ROOT = pathlib.Path(__file__).parents[2]
HAS_TORCH = importlib.util.find_spec("torch") is not None


@pytest.mark.parametrize("name", ["vit_28", "vit_tiny", "unet_64", "unet_tiny"])
def test_the_table_knows_the_number_of_our_weights(name):
    model, _, input_shape, sizes, num_weights = vision_train.ROWS[name]
    classes = vision_train_baseline.NUM_CLASSES[model]
    network = getattr(models, model)(input_shape, classes, **sizes)
    assert num_weights == sum(math.prod(w.shape) for w in network.trainable_weights)


@pytest.mark.parametrize("name", vision_train.ROWS)
def test_torch_has_the_same_number(name):
    torch = pytest.importorskip("torch")
    from benchmarks import torch_vision

    model, _, input_shape, sizes, num_weights = vision_train.ROWS[name]
    build = {"vit": torch_vision.VisionTransformer, "unet": torch_vision.UNet}[model]
    network = build(input_shape, 3, **sizes)
    classes = vision_train_baseline.NUM_CLASSES[model]
    last = sizes.get("hidden_dim", sizes.get("width")) + 1
    assert sum(w.numel() for w in network.parameters()) == num_weights + last * (
        3 - classes
    )
    height, width, channels = input_shape
    outputs = network(torch.zeros(2, channels, height, width))
    expected = (2, 3) if model == "vit" else (2, 3, height, width)
    assert tuple(outputs.shape) == expected


def test_the_batch_is_fixed_and_fits_the_model():
    images, labels = vision_train_baseline._arrays("unet", 2, (4, 6, 3))
    assert images.shape == (2, 4, 6, 3) and images.dtype == "float32"
    assert labels.shape == (2, 4, 6) and set(np.unique(labels)) <= {0, 1}
    assert vision_train_baseline._arrays("vit", 5, (4, 6, 3))[1].shape == (5,)
    np.testing.assert_array_equal(
        images, vision_train_baseline._arrays("unet", 2, (4, 6, 3))[0]
    )


@pytest.mark.slow
def test_a_baseline_of_another_size_is_reported(monkeypatch):
    row = vision_train.ROWS["vit_tiny"]
    monkeypatch.setitem(vision_train.ROWS, "vit_tiny", (*row[:-1], 755))
    flags = vision_train.define_flags()
    flags(["", "--rounds=1", "--seconds=0.01"])
    measured = vision_train.measure_row(flags, "vit_tiny", ["kerasseq"])
    assert "Received: 754, expected: 755" in measured["baselines"]["kerasseq"]["error"]
    assert training_baselines.ratios(measured["baselines"]) == {}


@pytest.mark.slow
def test_all_baselines_train(tmp_path):
    output = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks.vision_train"]
    command += ["--rows=vit_tiny,unet_tiny", "--baselines=kerasseq,keras,torch"]
    command += ["--rounds=1", "--seconds=0.1", f"--output={output}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    vit, unet = json.loads(output.read_text())["rows"]
    with_torch = {"torch/ours"} if HAS_TORCH else set()
    assert vit["ratios"].keys() == {"Keras/ours"} | with_torch
    assert unet["ratios"].keys() == with_torch and "keras" not in unet["baselines"]
    for row in (vit, unet):
        for result in row["baselines"].values():
            assert result["last_loss"] < result["first_loss"]
            speed = 1e3 * row["batch_size"] / result["median_ms"]
            assert result["images_per_second"] == pytest.approx(speed)
    assert "| unet_tiny |" in done.stdout
    assert HAS_TORCH or "PyTorch is not installed" in done.stdout

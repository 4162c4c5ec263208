"""The translators of the benchmark: same weights everywhere, and a small run."""

import importlib.util
import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import training_baselines
from benchmarks import translate_train_baseline as baseline
from kerasseq import models

ROOT = pathlib.Path(__file__).parents[2]
SIZES = {"vocabulary_size": 11, "embedding_dim": 4, "units": 6}
KINDS = [
    {"cell": cell, "attention": attention, "input_feeding": input_feeding}
    for cell, attention, input_feeding in (
        ("lstm", "additive", True),
        ("gru", "general", False),
        ("gru", "dot", True),
    )
]


@pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values()))
)
def test_number_of_weights(kind):
    model = models.seq2seq(**SIZES, **kind)
    number = sum(math.prod(w.shape) for w in model.trainable_weights)
    assert number == baseline.num_weights(**kind, **SIZES)


@pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values()))
)
def test_torch_computes_as_many(kind):
    torch = pytest.importorskip("torch")
    from benchmarks import torch_seq2seq

    model = torch_seq2seq.Seq2Seq(**SIZES, **kind, dropout=0.0)
    trained = [w.numel() for w in model.parameters() if w.requires_grad]
    assert sum(trained) == baseline.num_weights(**kind, **SIZES)
    ids = torch.ones((2, 3), dtype=torch.long)
    assert tuple(model(ids, ids).shape) == (2, 3, 11)


def test_products_of_a_step():
    sizes = {"batch_size": 2, "length": 3, **SIZES}
    kind = {"cell": "gru", "attention": "dot", "input_feeding": True}
    flops = sum(2 * np.prod(one) for one in baseline.products(**kind, **sizes))
    tokens, of_token = 6, 2 * 4 * 9 + 2 * 3 * 9  # encoder: inputs and states
    of_token += 4 * 18 + 6 * 18 + 4 * 18 + 12 * 4 + 4 * 11  # decoder, output, logits
    of_sentence = 2 * 3 * 6 * 3  # scores and sums
    assert flops == 3 * 2 * (tokens * of_token + 2 * of_sentence)


@pytest.mark.slow
def test_all_baselines_train(tmp_path):
    output = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks.translate_train", "--rows=gru_tiny"]
    command += ["--rounds=1", "--seconds=0.1", f"--output={output}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(output.read_text())["rows"]
    has_torch = importlib.util.find_spec("torch") is not None
    with_torch = {"torch/ours", "JAX: torch/ours"} if has_torch else set()
    assert row["ratios"].keys() == {"ours/products"} | with_torch
    for name in ("kerasseq", "kerasseq_jax", training_baselines.FLOOR):
        assert row["baselines"][name]["us_per_token"] > 0

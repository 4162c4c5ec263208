"""P5: the same `.keras` file gives the same outputs on TensorFlow and on JAX.

P1 and P3 hold there too, and JAX needs no TensorFlow. All of it is in one file, so that
processes on JAX find what those before them have compiled.
"""

import pathlib

import catalog
import jax_process
import keras
import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
KINDS = [
    "SimpleRNN",
    "PeepholeLSTM",
    "StackedRNN-gru",
    "additive",
    "vit-token",
    "unet-batch",
    "transformer-pre",
]
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="this is the other half"
)


@pytest.mark.parametrize("entry", catalog.keeping("P5", variants_are_slow=True))
def test_outputs_are_equal_on_the_other_backend(entry, reload):
    other = "jax" if keras.backend.backend() == "tensorflow" else "tensorflow"
    folder = reload(other)
    expected = np.load(folder / f"{entry.id}.expected.npy")
    found = np.load(folder / f"{entry.id}.{other}.npy")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def run_on_jax(*arguments):
    result = jax_process.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout


@on_tensorflow
def test_p1_holds_on_jax():
    """For one entry of each kind."""
    run_on_jax(HERE / "test_p1_compiles.py", "-k", " or ".join(KINDS))


@pytest.mark.slow
@on_tensorflow
def test_p1_p3_and_p5_hold_on_jax():
    promises = ("p1_compiles", "p3_keeps", "p5_moves")
    run_on_jax(*(HERE / f"test_{promise}.py" for promise in promises))


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
import keras, numpy as np
import kerasseq
model = kerasseq.models.seq2seq(9, embedding_dim=4, units=4)
model.compile("adam", kerasseq.training.SmoothedCrossEntropy(), jit_compile=True)
ids = np.ones((2, 3), "int32")
model.fit({"source": ids, "target": ids}, ids, verbose=0)
tokens = kerasseq.decoding.Translator(model, 4, beam_size=2).predict(ids, verbose=0)
assert tokens["tokens"].shape == (2, 2, 4)
kerasseq.ops.lstm_step, kerasseq.layers.GRU, kerasseq.data.BucketedPairs
stock = keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(4)])
assert type(kerasseq.convert.from_keras(stock).layers[0]) is kerasseq.layers.LSTM
"""


@on_tensorflow
def test_layers_models_and_decoding_work_without_tensorflow():
    result = jax_process.run("-c", WITHOUT_TENSORFLOW)
    assert result.returncode == 0, result.stderr

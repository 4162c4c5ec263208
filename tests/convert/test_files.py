"""Files written or read by a process that does not have kerasseq."""

import subprocess
import sys

import keras
import numpy as np

import kerasseq
from kerasseq import convert

PLAIN_KERAS = """
import sys
sys.modules["kerasseq"] = None
import keras, numpy as np
folder = sys.argv[1]
inputs = np.load(folder + "/inputs.npy")
model = keras.saving.load_model(folder + "/to_open.keras")
np.save(folder + "/opened.npy", keras.ops.convert_to_numpy(model(inputs)))
model = keras.Sequential([
    keras.Input((6, 3)),
    keras.layers.Masking(),
    keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True)),
    keras.layers.GRU(2),
])
np.save(folder + "/expected.npy", keras.ops.convert_to_numpy(model(inputs)))
model.save(folder + "/written.keras")
"""


def test_files_of_plain_keras(tmp_path):
    inputs = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    inputs[1, 4:] = 0
    np.save(tmp_path / "inputs.npy", inputs)
    kseq = kerasseq.layers
    cells = [keras.layers.LSTMCell(3), keras.layers.GRUCell(3)]
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            keras.layers.Bidirectional(kseq.LSTM(4, return_sequences=True)),
            kseq.RNN(cells, return_sequences=True),
            kseq.IRNN(3, return_sequences=True),
            kseq.GRU(2),
        ]
    )
    model.compile("adam", "mse")
    convert.to_keras(model).save(tmp_path / "to_open.keras")

    command = [sys.executable, "-c", PLAIN_KERAS, str(tmp_path)]
    subprocess.run(command, check=True, timeout=300)

    opened = np.load(tmp_path / "opened.npy")
    np.testing.assert_allclose(opened, model(inputs), atol=1e-5)
    written = keras.saving.load_model(tmp_path / "written.keras")
    converted = convert.from_keras(written)
    expected = np.load(tmp_path / "expected.npy")
    np.testing.assert_allclose(converted(inputs), expected, atol=1e-5)

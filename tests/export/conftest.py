import importlib

import keras
import numpy as np
import pytest

from kerasseq import export


def two_signatures(model):
    """`serve`, and `count`: an integer loop that calls the model in each step."""
    import tensorflow as tf

    def serve(x):
        return {"scores": model(x, training=False)}

    def count(x, start):
        def body(step, total):
            scores = model(x, training=False)
            return step + 1, total + tf.argmax(scores, -1, output_type=tf.int32)

        _, total = keras.ops.while_loop(
            lambda step, total: step < 5, body, (tf.constant(0), start)
        )
        return {"tokens": total}

    x = ((1, 6, 4), "float32")
    return {
        "serve": (serve, {"x": x}),
        "count": (count, {"x": x, "start": ((1,), "int32")}),
    }


def recurrent_model(dtype=None):
    """A bidirectional GRU with a Dense of 64 x 64 = 16384 bytes."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 4), name="x")
    gru = keras.layers.GRU(32, dtype=dtype)
    x = keras.layers.Bidirectional(gru, dtype=dtype)(inputs)
    return keras.Model(inputs, keras.layers.Dense(64, name="wide", dtype=dtype)(x))


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """`(model, folder, report)` of a mixed_float16 model with two signatures."""
    importlib.import_module("kerasseq.export.exporter")
    model = recurrent_model("mixed_float16")
    folder = tmp_path_factory.mktemp("exported") / "demo"
    samples = {
        "count": [
            {"x": np.full((1, 6, 4), value), "start": np.array([3])}
            for value in (0.1, -0.5)
        ],
        "serve": [{"x": np.linspace(-1, 1, 24).reshape(1, 6, 4)}],
    }
    report = export.export_model(
        model,
        folder,
        signatures=two_signatures,
        samples=samples,
        card={
            "task": "demo",
            "data": "synthetic",
            "metrics": {"accuracy": np.float32(0.5)},
            "training": {"epochs": 1},
        },
    )
    return model, folder, report

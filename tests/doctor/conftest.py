import numpy as np
import pytest
import tensorflow as tf

LITE = tf.lite.OpsSet
WEIGHTS = np.random.default_rng(0).normal(0, 0.1, (8 * 8 * 4, 10)).astype("float32")
KERNEL = np.random.default_rng(1).normal(0, 0.1, (3, 3, 3, 4)).astype("float32")


def conv_and_dense(x):
    x = tf.nn.relu(tf.nn.conv2d(x, KERNEL, 1, "SAME"))
    return {"y": tf.nn.softmax(tf.reshape(x, (-1, 256)) @ WEIGHTS)}


def converter(folder, function, *specs):
    """A converter of a function with one signature, `serve`."""
    module = tf.Module()
    module.serve = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, folder, signatures={"serve": module.serve})
    return tf.lite.TFLiteConverter.from_saved_model(str(folder))


def image(batch=1):
    return tf.TensorSpec((batch, 8, 8, 3), name="x")


def quantized(folder, kind):
    """The converter of a quantized file."""
    found = converter(folder, conv_and_dense, image())
    found.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        found.target_spec.supported_types = [tf.float16]
    if "int8" in kind:
        data = np.random.default_rng(2).normal(size=(4, 1, 8, 8, 3))
        samples = [[sample.astype("float32")] for sample in data]
        found.representative_dataset = lambda: iter(samples)
    if kind == "full_int8":
        found.inference_input_type = found.inference_output_type = tf.int8
    return found


def flex(folder):
    function = tf.function(lambda x: {"y": tf.math.cumprod(x, axis=1)})
    found = converter(folder, function, tf.TensorSpec((1, 8), name="x"))
    found.target_spec.supported_ops = [LITE.TFLITE_BUILTINS, LITE.SELECT_TF_OPS]
    return found


def loop(folder):
    """A WHILE over time, and a TOPK_V2 of its result."""

    def serve(x):
        def body(step, state):
            return step + 1, tf.tanh(state @ WEIGHTS[:8, :8] + x[:, step])

        state = tf.zeros((1, 8))
        _, state = tf.while_loop(lambda step, _: step < 5, body, (0, state))
        return {"scores": tf.math.top_k(state, 2)[0]}

    return converter(folder, serve, tf.TensorSpec((1, 5, 8), name="x"))


def endless(folder):
    """A WHILE that ends for a positive input only."""

    def serve(x):
        last = tf.while_loop(lambda x: x[0] < 1, lambda x: [x * 2], (x,))[0]
        return {"y": last}

    return converter(folder, serve, tf.TensorSpec((1,), tf.int32, name="x"))


MAKERS = {
    "float32": lambda folder: converter(folder, conv_and_dense, image()),
    "batch": lambda folder: converter(folder, conv_and_dense, image(None)),
    "flex": flex,
    "loop": loop,
    "endless": endless,
}


class Files(dict):
    """`{name: path}` of honest files, made when they are asked for."""

    def __init__(self, folder):
        self._folder = folder

    def __missing__(self, name):
        folder = self._folder / name
        found = MAKERS[name](folder) if name in MAKERS else quantized(folder, name)
        self[name] = self._folder / f"{name}.tflite"
        self[name].write_bytes(found.convert())
        return self[name]


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("doctor"))

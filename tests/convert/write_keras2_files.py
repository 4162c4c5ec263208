"""Writes models of Keras 2 to a folder, with inputs and the outputs they have there.

    python tests/convert/write_keras2_files.py FOLDER

Each model becomes NAME.h5, NAME.keras and NAME.npz, which holds `input_0`, `input_1`
.., and `output_0` ... All weights are random, those that begin at 0 or 1 too.
"""

import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf_keras as keras
from keras2_architectures import ARCHITECTURES
from keras2_other_models import OTHERS, on_a_gpu
from tf_keras.src.layers.rnn import cudnn_gru, cudnn_lstm


def random_inputs(model, generator):
    arrays = []
    for tensor in model.inputs:
        shape = (3, *tensor.shape[1:])
        if tensor.dtype == "int32":
            lengths = generator.integers(1, shape[1] + 1, (3, 1))
            ids = generator.integers(1, 9, shape)
            arrays.append(np.where(np.arange(shape[1]) < lengths, ids, 0))
        else:
            arrays.append(generator.normal(size=shape))
        arrays[-1] = arrays[-1].astype(tensor.dtype.name)
    return arrays


def write(folder, build, seed):
    generator = np.random.default_rng(seed)
    model = build()
    randomise(model, generator)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    model.compile("adam", "mse")
    inputs = random_inputs(model, generator)
    if isinstance(model.input, dict):
        inputs = dict(zip(model.input, inputs, strict=True))
    outputs = model(inputs, training=False)
    path = os.path.join(folder, build.__name__)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path + ".h5")
        model.save(path + ".keras")
    write_examples(path, inputs, outputs)


def write_on_a_gpu(folder):
    """As .h5 alone; Keras 2 itself says what the file computes without a GPU."""
    generator = np.random.default_rng(0)
    path = os.path.join(folder, "on_a_gpu")
    model = on_a_gpu(cudnn_lstm.CuDNNLSTM, cudnn_gru.CuDNNGRU)
    randomise(model, generator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path + ".h5")
    plain = on_a_gpu(keras.layers.LSTM, keras.layers.GRU)
    plain.load_weights(path + ".h5")
    inputs = random_inputs(plain, generator)
    write_examples(path, inputs, plain(inputs))


def randomise(model, generator):
    for weight in model.weights:
        low = 0.5 if "variance" in weight.name else -0.5
        weight.assign(generator.uniform(low, 1, weight.shape))


def write_examples(path, inputs, outputs):
    arrays = {f"input_{i}": x for i, x in enumerate(tf.nest.flatten(inputs))}
    arrays |= {f"output_{i}": x for i, x in enumerate(tf.nest.flatten(outputs))}
    np.savez(path + ".npz", **arrays)


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    for index, build in enumerate(ARCHITECTURES + OTHERS):
        write(sys.argv[1], build, index)
    write_on_a_gpu(sys.argv[1])

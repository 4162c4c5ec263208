"""A baseline of `rnn_train`: builds one model in one library and runs training steps.

A training step is forward, mean squared error over the whole output sequence, backward
and SGD, on one fixed batch of the library's own tensors. Keras models use `compile` and
`train_on_batch`, which has an overhead of 0.4 ms, PyTorch the usual five lines. Every
step waits for its loss.
"""

import numpy as np

from benchmarks import interleaved, machine

LEARNING_RATE = 0.01


def load(library, num_threads, **settings):
    """Imports the library; returns the builder and the device."""
    machine.limit_threads(num_threads)
    if library == "torch":
        return _load_torch(num_threads, **settings)
    return _load_keras(library, num_threads, **settings)


def _arrays(batch_size, time, features, output_features):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(batch_size, time, features))
    y = generator.normal(size=(batch_size, time, output_features))
    return x.astype("float32"), y.astype("float32")


def _load_keras(library, num_threads, cell, sizes, num_layers, jit_compile):
    import keras

    if keras.backend.backend() == "tensorflow":
        machine.limit_tensorflow(num_threads)
    if library == "kerasseq":
        from kerasseq import layers
    else:
        layers = keras.layers
    batch_size, time, features, units = sizes

    def layer():
        inner = cell.removeprefix("Bi")
        recurrent = getattr(layers, inner)(units, return_sequences=True)
        if inner == cell:
            return recurrent
        return keras.layers.Bidirectional(recurrent)

    def prepare():
        model = keras.Sequential([keras.Input((time, features))])
        for _ in range(num_layers):
            model.add(layer())
        optimizer = keras.optimizers.SGD(LEARNING_RATE)
        model.compile(optimizer, "mse", jit_compile=jit_compile)
        arrays = _arrays(batch_size, time, features, model.output_shape[-1])
        x, y = (keras.ops.convert_to_tensor(array) for array in arrays)
        return lambda: float(model.train_on_batch(x, y))

    return prepare, {"device": _keras_device()}


def _keras_device():
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return jax.devices()[0].device_kind
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "cpu"
    return tf.config.experimental.get_device_details(gpus[0])["device_name"]


def _load_torch(num_threads, cell, sizes, num_layers, jit_compile):
    import torch

    torch.set_num_threads(num_threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch_size, time, features, units = sizes
    name = {"SimpleRNN": "RNN"}.get(cell, cell.removeprefix("Bi"))

    def prepare():
        bidirectional = cell.startswith("Bi")
        model = getattr(torch.nn, name)(
            features, units, num_layers, batch_first=True, bidirectional=bidirectional
        ).to(device)
        optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)
        arrays = _arrays(batch_size, time, features, units * (1 + bidirectional))
        x, y = (torch.from_numpy(array).to(device) for array in arrays)

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.mse_loss(model(x)[0], y)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    name_of_device = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return prepare, {"device": name_of_device}


if __name__ == "__main__":
    interleaved.serve(load)

"""A baseline of `rnn_train`: builds one model in one library and runs training steps.

A training step is forward, mean squared error over the whole output sequence, backward
and SGD, on one fixed batch of the library's own tensors. Keras models use `compile` and
`train_on_batch`, which has an overhead of 0.4 ms, PyTorch the usual five lines. Every
step waits for its loss.

With `epochs` the steps are those of a `fit` of so many epochs of `BATCHES` batches in
the order of the data: Keras' own `fit`, of arrays on JAX and of a `tf.data.Dataset` on
TensorFlow, and a `DataLoader` in PyTorch.
"""

import numpy as np

from benchmarks import interleaved, machine, matrix_products

BATCHES = 8  # per epoch of a `fit`
GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
LEARNING_RATE = 0.01


def load(library, num_threads, **settings):
    """Imports the library; returns the builder and the device."""
    machine.limit_threads(num_threads)
    if library == "products":
        return matrix_products.load(products(**settings))
    if library == "torch":
        return _load_torch(num_threads, **settings)
    return _load_keras(library, num_threads, **settings)


def products(cell, sizes, num_layers, **_):
    """The matrix products of a step, `(times, m, k, n)` of `(m, k) @ (k, n)`.

    Those that a loop does not need are one product for all tokens.
    """
    batch_size, time, features, units = sizes
    directions, width = 1 + cell.startswith("Bi"), GATES[cell.removeprefix("Bi")]
    tokens, width = batch_size * time, width * units
    found = []
    for index in range(num_layers):
        entering = directions * units if index else features
        one = [(tokens, entering, width), (entering, tokens, width)]
        one += [(tokens, width, entering)] * bool(index)  # the data need no gradient
        one += [(units, tokens, width)]
        found += [(directions, *shape) for shape in one]
        loop = [(batch_size, units, width), (batch_size, width, units)]
        found += [(directions * time, *shape) for shape in loop]
    return found


def arrays(batch_size, time, features, output_features):
    """Returns a batch: inputs and targets, `(batch_size, time, ...)` each."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(batch_size, time, features))
    y = generator.normal(size=(batch_size, time, output_features))
    return x.astype("float32"), y.astype("float32")


def _load_keras(library, num_threads, cell, sizes, num_layers, jit_compile, epochs=0):
    import keras

    if keras.backend.backend() == "tensorflow":
        machine.limit_tensorflow(num_threads)
    if library == "kerasseq":
        from kerasseq import layers
    else:
        layers = keras.layers
    batch_size, time, features, units = sizes
    rows = batch_size * (BATCHES if epochs else 1)

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
        data = arrays(rows, time, features, model.output_shape[-1])
        if epochs:
            fit = {"epochs": epochs, "verbose": 0} | _batches(data, batch_size)
            return lambda: model.fit(**fit).history["loss"][-1]
        x, y = (keras.ops.convert_to_tensor(array) for array in data)
        return lambda: float(model.train_on_batch(x, y))

    return prepare, {"device": _keras_device(), "steps_per_call": epochs * BATCHES or 1}


def _batches(data, batch_size):
    """The data, as arguments of `fit`.

    After each epoch TensorFlow drops an iterator. Where tf.data tunes its pipeline, as
    it does with arrays, that often waits 0.1 to 0.4 seconds for the thread that tunes.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        x, y = data
        return {"x": x, "y": y, "batch_size": batch_size, "shuffle": False}
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    batches = tf.data.Dataset.from_tensor_slices(data).batch(batch_size)
    return {"x": batches.prefetch(1).with_options(options)}


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


def _load_torch(num_threads, cell, sizes, num_layers, jit_compile, epochs=0):
    import torch

    torch.set_num_threads(num_threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch_size, time, features, units = sizes
    rows = batch_size * (BATCHES if epochs else 1)
    name = {"SimpleRNN": "RNN"}.get(cell, cell.removeprefix("Bi"))

    def prepare():
        bidirectional = cell.startswith("Bi")
        model = getattr(torch.nn, name)(
            features, units, num_layers, batch_first=True, bidirectional=bidirectional
        ).to(device)
        optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)
        data = arrays(rows, time, features, units * (1 + bidirectional))
        x, y = (torch.from_numpy(array).to(device) for array in data)

        def step(x=x, y=y):
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.mse_loss(model(x)[0], y)
            loss.backward()
            optimizer.step()
            return loss.item()

        def fit():
            data = torch.utils.data.TensorDataset(x, y)
            loader = torch.utils.data.DataLoader(data, batch_size)
            return [step(*batch) for _ in range(epochs) for batch in loader][-1]

        return fit if epochs else step

    name_of_device = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return prepare, {"device": name_of_device, "steps_per_call": epochs * BATCHES or 1}


if __name__ == "__main__":
    interleaved.serve(load)

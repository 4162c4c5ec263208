"""A baseline of `gpu`: one recurrent model in one library, and its training step.

A training step is forward, mean squared error over the whole output sequence, backward
and SGD, on one fixed batch. On JAX it is one compiled function for all libraries, so
that nothing but the layers differs; PyTorch runs its usual five lines. As in `fit`,
steps are launched without waiting: one measurement is of `STEPS` steps.
"""

import functools
import re

from benchmarks import interleaved, machine, rnn_train_baseline

LEARNING_RATE = 0.01
STEPS = 5
PRODUCTS = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": None}


def load(library, **settings):
    """Imports the library; returns the builder and facts.

    Args:
        library: `"kerasseq"`, `"keras"`, `"jax_rnn"` or `"torch"`.
        **settings: `cell`, `sizes` (batch, time, features, units), `num_layers`,
            `precision`, `num_threads` and, of kerasseq, `unroll`, how many steps one
            iteration of a loop has on a GPU. `needs_gpu` if PyTorch must not run on a
            CPU.
    """
    machine.limit_threads(settings.pop("num_threads"))
    if library == "torch":
        return _load_torch(**settings)
    return _load_jax(library, **settings)


def _load_jax(library, cell, sizes, num_layers, precision, unroll=None):
    import jax
    import keras

    jax.config.update("jax_default_matmul_precision", PRODUCTS[precision])
    half = precision == "bfloat16"
    keras.config.set_dtype_policy("mixed_bfloat16" if half else "float32")
    if unroll:
        from kerasseq.ops import _time_loop

        _time_loop.STEPS_ON_A_GPU = unroll
    facts = machine.jax_device() | {"steps_per_call": STEPS}

    def prepare():
        keras.utils.clear_session()
        if library == "jax_rnn":
            weights, forward = jax_rnn(sizes, num_layers)
        else:
            weights, forward = _keras(library, cell, sizes, num_layers)
        x, y = (jax.device_put(array) for array in rnn_train_baseline.arrays(*sizes))
        step = jax.jit(functools.partial(train_step, forward), donate_argnums=0)
        step = step.lower(weights, x, y).compile()
        facts["kernels_in_loops"] = kernels_in_loops(step.as_text())

        def steps():
            nonlocal weights
            for _ in range(STEPS):
                weights, loss = step(weights, x, y)
            return float(loss)

        return steps

    return prepare, facts


def train_step(forward, weights, x, y):
    """Returns the weights after a step of SGD, and the loss before it."""
    import jax

    def loss_of(weights):
        outputs = forward(weights, x).astype("float32")
        return jax.numpy.mean(jax.numpy.square(outputs - y))

    loss, gradients = jax.value_and_grad(loss_of)(weights)
    pairs = zip(weights, gradients, strict=True)
    return [w - LEARNING_RATE * gradient for w, gradient in pairs], loss


def _keras(library, cell, sizes, num_layers):
    import keras

    if library == "kerasseq":
        from kerasseq import layers
    else:
        layers = keras.layers
    _, time, features, units = sizes
    model = keras.Sequential([keras.Input((time, features))])
    for _ in range(num_layers):
        model.add(getattr(layers, cell)(units, return_sequences=True))

    others = [w.value for w in model.non_trainable_variables]  # seeds of dropout

    def forward(weights, x):
        return model.stateless_call(weights, others, x, training=True)[0]

    return [w.value for w in model.trainable_variables], forward


def jax_rnn(sizes, num_layers):
    """cuDNN's LSTM: returns the weights and a function of them and the inputs."""
    import jax
    from jax.experimental import rnn

    batch_size, time, features, units = sizes
    weights = rnn.init_lstm_weight(
        jax.random.key(0), features, units, num_layers, bidirectional=False
    )
    state = jax.numpy.zeros((num_layers, batch_size, units))
    lengths = jax.numpy.full(batch_size, time, "int32")

    def forward(weights, x):
        options = (features, units, num_layers, 0.0, False)
        return rnn.lstm(x, state, state, *weights, lengths, *options)[0]

    return [weights], forward


def kernels_in_loops(text):
    """The number of fusions, products and calls in the body of each loop.

    On a GPU each is launched by itself, so that two are the fewest of a recurrent
    layer's step: a product, and the gates in one fusion.

    Args:
        text: A compiled program, as XLA prints it.
    """
    computations = re.split(r"\n(?=\S)", text)  # instructions are indented
    bodies = set(re.findall(r"\bbody=(%[\w.-]+)", text))
    launches = re.compile(r" (?:fusion|custom-call|dot|call)\(")
    return sorted(
        len(launches.findall(computation))
        for computation in computations
        if computation.split(" ", 1)[0] in bodies
    )


def _load_torch(cell, sizes, num_layers, precision, needs_gpu):
    import torch

    if needs_gpu and not torch.cuda.is_available():
        raise RuntimeError("PyTorch sees no GPU")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    half = torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")

    def prepare():
        _, _, features, units = sizes
        layer = getattr(torch.nn, cell)
        model = layer(features, units, num_layers, batch_first=True).to(device)
        optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)
        x, y = (
            torch.from_numpy(array).to(device)
            for array in rnn_train_baseline.arrays(*sizes)
        )

        def steps():
            for _ in range(STEPS):
                optimizer.zero_grad(set_to_none=True)
                with half:
                    outputs = model(x)[0]
                loss = torch.nn.functional.mse_loss(outputs.float(), y)
                loss.backward()
                optimizer.step()
            return loss.item()

        return steps

    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return prepare, {"device": name, "steps_per_call": STEPS}


if __name__ == "__main__":
    interleaved.serve(load)

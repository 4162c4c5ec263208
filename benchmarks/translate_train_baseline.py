"""A baseline of `translate_train`: builds one translator and trains it.

A training step is forward with dropout of 0.2, cross entropy per token, backward and
Adam, on one fixed batch of whole sentences, of the library's own tensors. The Keras
model uses `compile` and `train_on_batch`, PyTorch the usual five lines. Every step
waits for its loss. Both models have the same weights, tied embeddings among them.
"""

import math

import numpy as np

from benchmarks import interleaved, machine, matrix_products

DROPOUT = 0.2
GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}


def load(library, num_threads, **settings):
    """Imports the library; returns the builder and an empty dict."""
    machine.limit_threads(num_threads)
    if library == "products":
        return matrix_products.load(products(**settings))
    if library == "torch":
        return _load_torch(num_threads, **settings)
    return _load_keras(num_threads, **settings)


def num_tokens(batch_size, length):
    """Real tokens of a batch: those of the source and of the target."""
    return 2 * batch_size * length


def num_weights(
    cell, attention, input_feeding, vocabulary_size, embedding_dim, units, **_
):
    """Trainable weights of the model, which each library checks."""
    gates, half = GATES[cell], units // 2
    biases = 2 if cell == "gru" else 1
    encoder = 2 * gates * half * (embedding_dim + half + biases)
    bridge = (2 if cell == "lstm" else 1) * units * (units + 1)
    entering = embedding_dim * (1 + input_feeding)
    decoder = gates * units * (entering + units + biases)
    scores = {"dot": 0, "general": units**2, "additive": 2 * units**2 + units}
    output = embedding_dim * (2 * units + 1)
    table = vocabulary_size * embedding_dim
    return table + encoder + bridge + decoder + scores[attention] + output


def products(
    cell,
    attention,
    input_feeding,
    batch_size,
    length,
    vocabulary_size,
    embedding_dim,
    units,
):
    """The matrix products of a step, `(times, m, k, n)` of `(m, k) @ (k, n)`.

    Those that a loop does not need are one product for all tokens.
    """
    gates, half = GATES[cell], units // 2
    tokens, steps = batch_size * length, length
    at_once = [
        (2, embedding_dim, gates * half),  # of the encoder's inputs, both directions
        (1, embedding_dim, gates * units),
        (1, embedding_dim, vocabulary_size),
        (0 if attention == "dot" else 1, units, units),  # the keys
    ]
    in_loop = [(2, half, gates * half), (1, units, gates * units)]
    looped = [(int(attention == "additive"), units, units)]
    looped += [(1, 2 * units, embedding_dim)]
    if input_feeding:
        in_loop += [*looped, (1, embedding_dim, gates * units)]
    else:
        at_once += looped
    forward = [(times, tokens, k, n) for times, k, n in at_once]
    forward += [(steps * times, batch_size, k, n) for times, k, n in in_loop]
    # Backwards: as much for what is below, and for the weights, at once.
    below = [(times, m, n, k) for times, m, k, n in forward]
    weights = [(times, k, tokens, n) for times, k, n in at_once + in_loop]
    # Scores, and the weighted sum of the memory: of each sentence, three times.
    of_sentences = [(2 * 3 * batch_size, length, units, length)]
    return [one for one in forward + below + weights + of_sentences if one[0]]


def _sentences(batch_size, length, vocabulary_size):
    generator = np.random.default_rng(0)
    ids = generator.integers(2, vocabulary_size, (3, batch_size, length))
    return ids.astype("int32")


def _check(found, **settings):
    expected = num_weights(**settings)
    if found != expected:
        raise ValueError(
            f"The model has another number of weights. Received: {found}, "
            f"expected: {expected}"
        )


def _load_keras(num_threads, batch_size, length, **settings):
    import keras

    if keras.backend.backend() == "tensorflow":
        machine.limit_tensorflow(num_threads)
    from kerasseq import models, training

    def prepare():
        model = models.seq2seq(**settings, dropout=DROPOUT)
        _check(sum(math.prod(w.shape) for w in model.trainable_weights), **settings)
        model.compile("adam", training.SmoothedCrossEntropy(), jit_compile=True)
        ids = _sentences(batch_size, length, settings["vocabulary_size"])
        source, target, label = map(keras.ops.convert_to_tensor, ids)
        x = {"source": source, "target": target}
        return lambda: float(model.train_on_batch(x, label))

    return prepare, {}


def _load_torch(num_threads, batch_size, length, **settings):
    import torch

    from benchmarks import torch_seq2seq

    torch.set_num_threads(num_threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def prepare():
        model = torch_seq2seq.Seq2Seq(**settings, dropout=DROPOUT).to(device)
        trained = [w for w in model.parameters() if w.requires_grad]
        _check(sum(w.numel() for w in trained), **settings)
        optimizer = torch.optim.Adam(trained, fused=True)
        ids = _sentences(batch_size, length, settings["vocabulary_size"])
        source, target, label = torch.from_numpy(ids).long().to(device)

        def step():
            optimizer.zero_grad(set_to_none=True)
            logits = model(source, target).flatten(0, 1)
            loss = torch.nn.functional.cross_entropy(logits, label.flatten())
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    return prepare, {}


if __name__ == "__main__":
    interleaved.serve(load)

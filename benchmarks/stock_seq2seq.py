"""`kerasseq.models.seq2seq` from stock Keras layers, as an app's two signatures.

A GRU with general attention, input feeding and tied embeddings, one layer, with the
weights of a kerasseq model. Every source is as long as the signature allows.
"""

import keras
from keras import ops


def translator(specs, vocabulary_size, embedding_dim, units, unroll=False):
    """Builds the encoder and one step of the decoder.

    Args:
        specs: `{"encode": {input: (shape, dtype)}, "step": ...}`.
        vocabulary_size: Number of subwords.
        embedding_dim: Size of the embeddings.
        units: Size of the decoder's state.
        unroll: Whether the encoder's loops are unrolled.

    Returns:
        `(models, layers)`: a functional model for each signature, and the layers by the
        beginning of their weights' paths in a kerasseq model.
    """
    options = {"return_sequences": True, "return_state": True, "unroll": unroll}
    encoder = keras.layers.Bidirectional(keras.layers.GRU(units // 2, **options))
    layers = {
        "embedding/": keras.layers.ReversibleEmbedding(vocabulary_size, embedding_dim),
        "stack/": encoder,
        "bridge_0_0/": keras.layers.Dense(units, "tanh"),
        "decoder/cell_0/": keras.layers.GRUCell(units),
        "decoder/attention/key/": keras.layers.Dense(units, use_bias=False),
        "decoder/output/": keras.layers.Dense(embedding_dim, "tanh"),
    }
    embedding, encoder, bridge, cell, key, output_dense = layers.values()

    def encode(source):
        memory, forward, backward = encoder(embedding(source))
        state = bridge(ops.concatenate([forward, backward], -1))
        fed = ops.zeros_like(embedding(source[:, 0]))
        return {
            "memory": memory,
            "keys": key(memory) * units**-0.5,
            "state_0": state,
            "state_1": fed,
        }

    def step(token, memory, keys, state_0, state_1):
        x = ops.concatenate([embedding(token), state_1], -1)
        state, _ = cell(x, state_0)
        # (batch, length, units) times (batch, units, 1) -> (batch, length, 1)
        scores = ops.matmul(keys, ops.expand_dims(state, -1))
        attended = ops.matmul(ops.transpose(ops.softmax(scores, 1), (0, 2, 1)), memory)
        attended = ops.squeeze(attended, 1)
        output = output_dense(ops.concatenate([state, attended], -1))
        logits = embedding(output, reverse=True)
        return {"logits": logits, "state_0": state, "state_1": output}

    models = {}
    for name, function in (("encode", encode), ("step", step)):
        inputs = {
            key: keras.Input(batch_shape=shape, dtype=dtype, name=key)
            for key, (shape, dtype) in specs[name].items()
        }
        models[name] = keras.Model(inputs, function(**inputs))
    return models, layers


def set_weights(layers, weights):
    """Copies the weights of a kerasseq model, a dict by path, into the layers."""
    for prefix, layer in layers.items():
        layer.set_weights([x for path, x in weights.items() if path.startswith(prefix)])

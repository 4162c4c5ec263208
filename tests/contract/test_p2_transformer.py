"""P2 for the Transformer: outputs and gradients equal NumPy."""

import catalog
import catalog_transformer as table
import numpy as np
import pytest
import reference_transformer as transformer
from reference_vision import dense

from tests.contract import slopes

SIZES = {"heads": 2, "num_layers": 2}


def tokens(function, *names, **options):
    """The model of one layer between two dense ones."""

    def run(inputs, w):
        x = dense(inputs["tokens"], w, "first")
        return dense(function(x, w, *names, **options), w, "last")

    return run


def decoder(inputs, w):
    options = {"memory": inputs["memory"], "seen": inputs["memory"].max(-1) > 1}
    options |= SIZES | {"causal": True, "groups": 1}
    return dense(transformer.stack(inputs["tokens"], w, "layer", **options), w, "last")


def model(**options):
    return lambda inputs, w: transformer.transformer(
        inputs["source"], inputs["target"], w, heads=2, **options
    )


def joined(outputs):
    return np.concatenate([x.reshape(len(x), -1) for x in outputs], axis=-1)


def states(inputs):
    return [inputs[f"state_{index}"] for index in range(3)]


def windowed(inputs, w):
    x = dense(inputs["tokens"], w, "first")
    options = {"heads": 2, **table.WINDOW}
    return joined(transformer.window_stack(x, states(inputs), w, "layer", **options))


def language_model(inputs, w):
    E = w["embedding/embeddings"]
    x = E[inputs["tokens"]]
    names = ("window", "positions", "activation", "norm")
    options = {name: table.LANGUAGE[name] for name in names}
    x, *kept = transformer.window_stack(
        x, states(inputs), w, "body", heads=2, **options
    )
    return joined([x @ E.T, *kept])


ROTARY = {"heads": 2, "groups": 1, "causal": True, "positions": "rotary"}
REFERENCES = {
    "CachedAttention": tokens(transformer.attention, "layer", **ROTARY),
    "TokenPositions": tokens(
        lambda x, w: transformer.token_positions(x, w["layer/table"])
    ),
    "TransformerBlock": tokens(
        transformer.block, "layer", heads=2, positions="alibi", **table.POST
    ),
    "TransformerEncoder": tokens(
        transformer.stack, "layer", activation="gelu", **SIZES
    ),
    "TransformerDecoder": decoder,
    "WindowTransformer": windowed,
    "language_model-transformer": language_model,
    "transformer-pre": model(num_layers=1),
    "transformer-post": model(num_layers=2, positions="rotary", **table.POST),
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])

"""P2 for images: outputs and gradients equal NumPy."""

import catalog
import numpy as np
import pytest
import reference_vision as vision

from tests.contract import slopes

MEAN = {"stem": "convolution", "pooling": "mean", "positions": "sinusoidal"}
TOKEN = {"stem": "patch", "pooling": "token", "positions": "learned"}
BATCH = {"depth": 2, "norm": "batch", "padding": "same", "upsampling": "transposed"}
LOGITS = [("logits_head", 1)]


def tokens(function, *names, **options):
    """The model of one layer between two dense ones."""

    def run(x, w):
        weights = [w[f"layer/{name}"] for name in names]
        x = function(vision.dense(x, w, "first"), *weights, **options)
        return vision.dense(x, w, "last")

    return run


def attention(x, w):
    return vision.dense(
        vision.attention(vision.dense(x, w, "first"), w, "layer"), w, "last"
    )


def vit(**options):
    return lambda x, w: vision.vit(x, w, patch_size=4, num_layers=2, **options)


def unet(heads, **changed):
    """Heads in the order of their names, as the catalogue joins them."""

    def run(x, w):
        outputs = vision.unet(x, w, heads=heads, **BATCH | changed)
        if len(outputs) == 1:
            return outputs[0]
        return np.concatenate([y.reshape(len(y), -1) for y in outputs], axis=-1)

    return run


def unet_with_encoder(x, w):
    def encoder(x):
        half = vision.relu(vision.conv2d(x, w, "half", 2))
        return [x, half], vision.relu(vision.conv2d(half, w, "quarter", 2))

    return unet(LOGITS, upsampling="bilinear", encoder=encoder)(x, w)


REFERENCES = {
    "ClassToken": tokens(vision.class_token, "token"),
    "Dropout": tokens(lambda x: x),  # nothing outside of training
    "GridPositions-learned": tokens(vision.learned_positions, "prefix", "grid"),
    "GridPositions-sinusoidal": tokens(
        vision.sinusoidal_positions, grid_shape=(1, 5), num_prefix=1
    ),
    "MultiHeadAttention": attention,
    "vit-token": vit(**TOKEN),
    "vit-mean": vit(**MEAN),
    "convnet": lambda x, w: vision.convnet(x, w, num_stages=2),
    "unet-batch": unet(LOGITS),
    "unet-layer_valid": unet(LOGITS, norm="layer", padding="valid", depth=1),
    "unet-instance_bilinear": unet(
        LOGITS, norm="instance", upsampling="bilinear", depth=1
    ),
    "unet-group_heads": unet(
        [("edges_head", 1), ("mask_head", 1)], norm="group", depth=1
    ),
    "unet-no_norm_deep": unet([("mask_head", 1), ("mask_2_head", 2)], norm=None),
    "unet-encoder": unet_with_encoder,
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]
CALLS = [pytest.param(p.values[0], False, id=p.id) for p in ENTRIES] + [
    pytest.param(p.values[0], True, id=f"{p.id}-training")
    for p in ENTRIES
    if p.id == "MultiHeadAttention"  # it computes otherwise in training
]


@pytest.mark.parametrize("entry, training", CALLS)
def test_equals_numpy(entry, training):
    def expected(inputs, w):
        (x,) = inputs.values()
        return REFERENCES[entry.id](x, w)

    slopes.check(entry.model(), entry.inputs(), expected, training)

"""The flags that the recipes for images share."""

import keras
import numpy as np
import pytest
from absl import flags as absl_flags

from recipes.shared import image_flags, quantization_flags


def parsed(*arguments, **defaults):
    flags = absl_flags.FlagValues()
    image_flags.define_image_flags(flags)
    quantization_flags.define_flags(flags)
    image_flags.define_augmentation_flags(flags, **defaults)
    flags(["test", *arguments])
    return flags


def test_image_options():
    splits = {"validation_fraction": 0.1, "test_fraction": 0.2}
    found = image_flags.image_options(
        parsed("--image_size=96x128", "--channels=3", "--limit=0.5")
    )
    options = {"image_size": (96, 128), "num_channels": 3, "limit": 0.5}
    assert found == options | splits
    found = image_flags.image_options(parsed("--image_size=64", "--limit=100"))
    options = {"image_size": (64, 64), "num_channels": None, "limit": 100}
    assert found == options | splits
    found = image_flags.image_options(parsed("--test_fraction=0.3"))
    assert found == dict.fromkeys(options) | splits | {"test_fraction": 0.3}


def test_augmentation_is_off_unless_asked_for():
    assert image_flags.augmentation(parsed()) == []
    assert len(image_flags.augmentation(parsed(flip="both", zoom=0.1))) == 2
    amounts = ["rotation=90", "shift=0.1", "zoom=0.1", "elastic=0.5"]
    amounts += ["brightness=0.1", "contrast=0.1", "flip=horizontal"]
    layers = image_flags.augmentation(parsed(*(f"--{x}" for x in amounts)))
    assert len(layers) == len(amounts)
    turn = next(x for x in layers if isinstance(x, keras.layers.RandomRotation))
    assert turn.get_config()["factor"] == (-0.25, 0.25)
    image = np.full((1, 32, 32, 1), 100, "float32")
    for layer in layers:
        assert layer(image).shape == image.shape


@pytest.mark.parametrize("text", ["large", "0", "96x", "9x9x9", "-3"])
def test_sizes_that_are_none(text):
    with pytest.raises(ValueError, match=f"--image_size={text}"):
        image_flags.image_options(parsed(f"--image_size={text}"))


def test_errors():
    with pytest.raises(ValueError, match="--limit=few"):
        image_flags.image_options(parsed("--limit=few"))
    with pytest.raises(ValueError, match="--quantize=int8,int4"):
        quantization_flags.check(parsed("--quantize=int8,int4"))
    quantization_flags.check(parsed("--quantize="))
    with pytest.raises(absl_flags.IllegalFlagValueError, match="zoom"):
        parsed("--zoom=2")

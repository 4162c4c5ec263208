import keras
import numpy as np
import pytest

from kerasseq.data import _augmentation

Augmentation = _augmentation.Augmentation


def make_batch(values=None, num_classes=5):
    """Images that equal their masks, in blocks of 3x3 pixels."""
    generator = np.random.default_rng(0)
    blocks = generator.integers(0, num_classes, (6, 8, 8, 1))
    masks = blocks.repeat(3, axis=1).repeat(3, axis=2).astype("float32")
    if values is not None:
        masks = np.float32(values)[masks.astype(int)]
    return {"images": masks, "masks": masks, "weights": masks + 1}


def geometry(interpolation="nearest", **kwargs):
    layers = keras.layers
    options = {"interpolation": interpolation, **kwargs}
    return {
        "flip": layers.RandomFlip(),
        "translation": layers.RandomTranslation(0.3, 0.3, **options),
        "rotation": layers.RandomRotation(0.3, **options),
        "zoom": layers.RandomZoom(0.3, 0.2, **options),
        "shear": layers.RandomShear(0.4, 0.4, **options),
        "elastic": layers.RandomElasticTransform(1.0, 1.0, **options),
        "crop": layers.RandomCrop(20, 16),
    }


NAMES = list(geometry())


@pytest.mark.parametrize("name", NAMES)
def test_masks_and_weights_follow_the_images(name):
    batch = make_batch()
    result = Augmentation([geometry()[name]])(batch, [1])
    assert np.array_equal(result["images"], result["masks"])
    assert np.array_equal(result["masks"] + 1, result["weights"])
    assert not np.array_equal(result["images"], batch["images"][:, :20, :16])
    assert np.isin(result["masks"], batch["masks"]).all()


@pytest.mark.parametrize("name", ["perspective", "rand_augment", *NAMES])
def test_masks_stay_whole_where_images_are_interpolated(name):
    layers = geometry("bilinear") | {
        "perspective": keras.layers.RandomPerspective(1.0, 0.5),
        "rand_augment": keras.layers.RandAugment(num_ops=1),
    }
    batch = make_batch(values=[0, 1, 2, 7, 255])
    augmentation = Augmentation([layers[name]])
    for seed in range(5):
        masks = augmentation(batch, [seed])["masks"]
        assert np.isin(masks, [0, 1, 2, 7, 255]).all()


@pytest.mark.parametrize("name", ["translation", "rotation", "zoom", "shear"])
def test_new_pixels_are_of_the_new_class_and_weigh_nothing(name):
    layer = geometry("bilinear", fill_mode="constant", fill_value=77.0)[name]
    batch = make_batch()
    result = Augmentation([layer], new_class=255)(batch, [0])
    new = result["masks"] == 255
    assert 0 < new.mean() < 0.9
    assert (result["weights"][new] == 0).all()
    assert np.array_equal(result["weights"][~new], result["masks"][~new] + 1)
    outside = keras.ops.convert_to_numpy(
        keras.ops.max_pool(np.float32(~new), 3, 1, "same")
    )
    assert (result["images"][outside == 0] == 77).all()
    assert layer.fill_value == 77.0


def test_elastic_new_pixels():
    options = {"fill_mode": "constant", "fill_value": 9.0}
    layer = geometry("bilinear", **options)["elastic"]
    batch = make_batch(values=[3, 4, 5, 300, 6])
    result = Augmentation([layer], new_class=-1)(batch, [4])
    assert set(np.unique(result["masks"])) == {-1, 3, 4, 5, 6, 300}
    assert (layer.fill_value, layer.value_range) == (9.0, (0, 255))


def test_batches_follow_from_the_seed():
    geometric = geometry("bilinear")
    layers = [geometric["elastic"], geometric["crop"], geometric["flip"]]
    layers.append(keras.layers.RandomBrightness(0.5))
    one, other = Augmentation(layers), Augmentation(layers)
    first, second = one(make_batch(), [1, 2]), one(make_batch(), [1, 3])
    again = other(make_batch(), [1, 2])
    for name in first:
        assert np.array_equal(first[name], again[name])
        assert not np.array_equal(first[name], second[name])


def test_layers_of_one_kind_draw_apart():
    layers = [keras.layers.RandomFlip("horizontal", seed=3) for _ in range(2)]
    batch = {"images": make_batch()["images"].repeat(10, axis=0)}
    flipped = Augmentation(layers)(batch, [0])["images"]
    same = (flipped == batch["images"]).all(axis=(1, 2, 3))
    assert 0.2 < same.mean() < 0.8


def test_weights_and_random_states_of_the_layers_are_left_alone():
    layer = keras.layers.RandomFlip("horizontal")
    before = np.array(layer.generator.state)
    Augmentation([layer])(make_batch(), [0])
    assert np.array_equal(before, np.array(layer.generator.state))


def test_mixing_layers_mix_labels_by_the_same_fractions():
    images = np.eye(4, dtype="float32")[:, None, None] * np.ones((4, 8, 8, 1), "f4")
    batch = {"images": images, "labels": np.eye(4, dtype="float32")}
    mixed = Augmentation([keras.layers.MixUp(1.0)])(batch, [0])
    assert np.allclose(mixed["images"][:, 0, 0], mixed["labels"], atol=1e-6)
    assert ((mixed["labels"] > 0.01) & (mixed["labels"] < 0.99)).any()
    cut = Augmentation([keras.layers.CutMix((1.0, 1.0))])(batch, [0])
    assert np.isin(cut["images"], [0, 1]).all()
    # Labels count the box to fractions of a pixel.
    fractions = cut["images"].mean(axis=(1, 2))
    assert np.abs(fractions - cut["labels"]).max() < 2 * 8 / 64


def test_gray_versions_of_colors():
    images = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 3)).astype("float32")
    gray = Augmentation([keras.layers.RandomGrayscale(1.0)])({"images": images}, [0])
    assert np.ptp(gray["images"], axis=-1).max() < 1e-3


def test_half_precision_layers_compute_in_float32():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layers = [
            keras.layers.RandomTranslation(0.3, 0.3),
            keras.layers.RandomZoom(0.2),
        ]
        result = Augmentation(layers)(make_batch(values=[0, 1, 2, 3, 1001]), [0])
    finally:
        keras.config.set_dtype_policy(policy)
    assert result["images"].dtype == result["masks"].dtype == "float32"
    assert 1001 in result["masks"]


def test_check_layers():
    layers, check = keras.layers, _augmentation.check_layers
    assert check([], (24, 24, 1), True) == (24, 24, 1)
    chain = [layers.RandomFlip(), layers.RandomCrop(20, 16)]
    assert check(chain, (24, 24, 3), True) == (20, 16, 3)
    with pytest.raises(ValueError, match="RandomFlip.*Received: .*[Dd]ense"):
        check([layers.Dense(3)], (24, 24, 1), False)
    with pytest.raises(ValueError, match="mixup=0.2.*Received: MixUp"):
        check([layers.MixUp()], (24, 24, 1), False)
    with pytest.raises(ValueError, match="no seed that can be set.*AugMix"):
        check([layers.AugMix()], (24, 24, 1), False)
    with pytest.raises(ValueError, match=r"RandomCrop\(20, 30\) for images of 24x24"):
        check([layers.RandomCrop(20, 30)], (24, 24, 1), True)
    assert check([layers.RandomCrop(20, 30)], (24, 24, 1), False) == (20, 30, 1)

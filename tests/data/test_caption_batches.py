import keras
import numpy as np
import pytest

from kerasseq.data import CaptionBatches

IMAGES = np.arange(5, dtype="uint8")[:, None, None, None] * np.ones(
    (1, 4, 6, 3), "uint8"
)
CAPTIONS = [[[10 + k], [20 + k, 30 + k]] for k in range(5)]  # each names its image


def make(batch_size=4, **options):
    return CaptionBatches(IMAGES, CAPTIONS, 4, batch_size, **options)


def pairs(batches):
    """`(image, caption)` of all rows that count."""
    found = []
    for index in range(len(batches)):
        inputs, labels, weights = batches[index]
        for image, row, weight in zip(inputs["image"], labels, weights, strict=True):
            if weight.any():
                ids = tuple(row[weight > 0].tolist())
                assert ids[-1] == 3
                found.append((int(image[0, 0, 0]), ids[:-1]))
    return found


def test_a_batch():
    batches = CaptionBatches(IMAGES[:2], [[[7, 8]], [[9, 9, 9]]], 4, 2, shuffle=False)
    inputs, labels, weights = batches[0]
    assert inputs["image"].shape == (2, 4, 6, 3)
    assert inputs["image"].dtype == "float32"
    assert inputs["target"].tolist() == [[2, 7, 8, 0], [2, 9, 9, 9]]
    assert labels.tolist() == [[7, 8, 3, 0], [9, 9, 9, 3]]
    assert weights.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert batches.tokens_in_batch(0) == 7
    assert batches.shapes == [(2, 4)]


@pytest.mark.parametrize("shuffle", [True, False])
def test_every_caption_once_with_its_image(shuffle):
    batches = make(shuffle=shuffle)
    expected = [(k, tuple(ids)) for k in range(5) for ids in CAPTIONS[k]]
    found = pairs(batches)
    assert sorted(found) == sorted(expected)
    assert (found == expected) == (not shuffle)
    assert len(batches) == 3 and batches.num_pairs == 10
    assert sum(map(batches.tokens_in_batch, range(3))) == 5 * (2 + 3)


def test_what_fills_a_batch_is_several_images():
    inputs, _, weights = make(8, shuffle=False)[1]
    filled = inputs["image"][weights.sum(axis=1) == 0]
    assert len(filled) == 6 and len(np.unique(filled[:, 0, 0, 0])) > 1


def test_an_epoch_is_a_function_of_seed_and_epoch():
    one, other = make(seed=1), make(seed=2)
    assert pairs(one) == pairs(make(seed=1)) != pairs(other)
    later = make(seed=1, epoch=3)
    assert pairs(later) != pairs(one)
    one.epoch = 3
    assert pairs(later) == pairs(one)


def test_augmentation_changes_images_alone():
    brighter = keras.layers.RandomBrightness(0.5, seed=0)
    plain, changed = make(seed=1), make(seed=1, augment=[brighter])
    (a, labels, _), (b, same, _) = plain[0], changed[0]
    np.testing.assert_array_equal(labels, same)
    assert np.abs(a["image"] - b["image"]).max() > 1
    np.testing.assert_array_equal(changed[0][0]["image"], b["image"])


def test_long_captions_are_dropped():
    batches = CaptionBatches(IMAGES[:2], [[[5] * 9, [6]], [[7]]], 4, 2)
    assert (batches.num_pairs, batches.num_dropped) == (2, 1)


def test_errors():
    for arguments, message in [
        ((IMAGES, CAPTIONS[:2], 4, 2), "5 images, 2 lists"),
        ((IMAGES, CAPTIONS, 0, 2), "max_length=0"),
        ((IMAGES, CAPTIONS, 4, 0), "batch_size=0"),
        ((IMAGES[:1], [[[5] * 9]], 4, 2), "short enough.*1 captions, max_length=4"),
    ]:
        with pytest.raises(ValueError, match=message):
            CaptionBatches(*arguments)
    with pytest.raises(IndexError):
        make()[3]

import jax_process
import keras
import numpy as np
import pytest
from sklearn.utils import class_weight

from kerasseq import data, training

Batches = data.ImageBatches


def make_images(count=20, size=4):
    """Images that hold their own number, and labels of three classes."""
    images = np.broadcast_to(
        np.arange(count)[:, None, None, None], (count, size, size, 1)
    )
    return images.astype("uint8"), np.arange(count) % 3


def make_masks(count=20, size=4):
    images, _ = make_images(count, size)
    return images, images[..., 0] % 3


def numbers(images):
    return images[:, 0, 0, 0].astype(int).tolist()


def epoch_of(batches):
    return [numbers(batches[i][0]) for i in range(len(batches))]


def augmentations():
    layers = keras.layers
    return [layers.RandomFlip("horizontal"), layers.RandomTranslation(0.5, 0.5)]


def test_one_batch_by_hand():
    batches = Batches(*make_images(), 8, num_classes=3, shuffle=False)
    images, labels, weights = batches[0]
    assert images.shape == (8, 4, 4, 1)
    assert (images.dtype, labels.dtype, weights.dtype) == (
        "float32",
        "int32",
        "float32",
    )
    assert numbers(images) == list(range(8))
    assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1] and (weights == 1).all()
    assert (batches.num_images, batches.num_dropped) == (20, 0)
    assert batches.shapes == [(8, 4, 4, 1)]


def test_the_last_batch_is_filled_up_with_weight_0():
    batches = Batches(*make_images(), 8, num_classes=3, shuffle=False)
    images, _, weights = batches[2]
    assert len(batches) == 3 and images.shape == (8, 4, 4, 1)
    assert numbers(images)[:4] == [16, 17, 18, 19]
    assert weights.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert [batches.images_in_batch(i) for i in range(3)] == [8, 8, 4]
    masked = Batches(*make_masks(), 8, num_classes=3, shuffle=False)
    _, masks, weights = masked[2]
    assert masks.shape == weights.shape == (8, 4, 4)
    assert weights[:4].all() and not weights[4:].any()


def test_a_shuffled_epoch_drops_the_rest():
    batches = Batches(*make_images(), 8, num_classes=3)
    served = sum(epoch_of(batches), [])
    assert len(batches) == 2 and len(set(served)) == 16
    assert batches.num_dropped == 4
    assert [batches.images_in_batch(i) for i in range(2)] == [8, 8]
    with pytest.raises(IndexError, match="2 batches"):
        batches[2]


@pytest.mark.parametrize("mix", [{}, {"mixup": 0.5, "cutmix": 1.0}])
def test_batches_are_a_function_of_seed_epoch_and_index(mix):
    options = {"num_classes": 3, "augment": augmentations(), **mix}
    batches, again = (Batches(*make_images(), 4, **options) for _ in range(2))
    for index in (4, 0, 2):
        for one, same in zip(batches[index], again[index], strict=True):
            assert np.array_equal(one, same)
    first = batches[0][0]
    batches.epoch = 1
    later = Batches(*make_images(), 4, epoch=1, **options)
    other = Batches(*make_images(), 4, seed=1, **options)
    assert np.array_equal(batches[0][0], later[0][0])
    assert not np.array_equal(batches[0][0], first)
    assert not np.array_equal(other[0][0], first)


def test_only_a_whole_epoch_counts():
    batches = Batches(*make_images(), 8, num_classes=3)
    for begun, indices, epoch in [
        (False, [0, 1], 0),  # a look at the data
        (True, [0], 0),  # broken off
        (True, [1, 0], 1),
    ]:
        if begun:
            batches.on_epoch_begin()
        for index in indices:
            batches[index]
        batches.on_epoch_end()
        assert batches.epoch == epoch
    batches[0]  # several workers begin to fetch before the epoch
    batches.on_epoch_begin()
    batches[1]
    batches.on_epoch_end()
    assert batches.epoch == 2


def test_augmented_masks_follow_their_images():
    images, masks = make_masks(size=9)
    images = images + np.arange(9, dtype="uint8")[:, None]  # differs along the rows
    masks = images[..., 0] % 3
    layers = [
        keras.layers.RandomFlip(),
        keras.layers.RandomTranslation(
            0.4, 0.4, fill_mode="constant", interpolation="nearest"
        ),
    ]
    weights = images[..., 0].astype("float32") + 1
    batches = Batches(
        images,
        masks,
        20,
        num_classes=3,
        augment=layers,
        sample_weights=weights,
        ignore_class=255,
    )
    images, masks, weights = batches[0]
    inside = masks != 255
    assert masks.dtype == "int32" and 0.3 < inside.mean() < 1
    assert np.array_equal(masks[inside], images[inside][:, 0] % 3)
    assert np.array_equal(weights, np.where(inside, images[..., 0] + 1, 0))


def test_a_crop_changes_the_shape():
    crop = keras.layers.RandomCrop(3, 2)
    batches = Batches(*make_masks(), 5, num_classes=3, augment=[crop])
    assert batches.shapes == [(5, 3, 2, 1)]
    assert [part.shape for part in batches[0]] == [(5, 3, 2, 1), (5, 3, 2), (5, 3, 2)]


def test_one_hot_and_mixed_labels():
    images, labels = make_images()
    plain = Batches(images, labels, 20, num_classes=3, one_hot=True, shuffle=False)
    assert np.array_equal(plain[0][1], np.eye(3)[labels])
    mixed = Batches(images, labels, 20, num_classes=3, mixup=1.0)
    served, targets, weights = mixed[0]
    assert targets.shape == (20, 3) and targets.dtype == "float32"
    assert np.allclose(targets.sum(axis=1), 1) and np.allclose(weights, 1)
    assert ((targets > 0.1) & (targets < 0.9)).any()


def test_each_batch_draws_mixup_or_cutmix():
    images, labels = make_images(80, size=16)
    batches = Batches(images * 3, labels, 8, num_classes=3, mixup=1.0, cutmix=1.0)
    flat = [np.ptp(batches[i][0], axis=(1, 2)).max() == 0 for i in range(10)]
    assert 1 <= sum(flat) <= 9  # images of one value stay so under MixUp


def test_weights_are_mixed_as_the_labels():
    images, labels = make_images()
    weights = labels + 1.0
    batches = Batches(
        images, labels, 20, num_classes=3, mixup=1.0, sample_weights=weights
    )
    _, targets, mixed = batches[0]
    assert np.allclose(mixed, targets @ [1, 2, 3], atol=1e-5)


def test_sample_weights_in_every_form():
    images, labels = make_images()
    options = {"num_classes": 3, "shuffle": False}
    by_class = Batches(images, labels, 20, sample_weights={0: 1, 1: 2, 2: 3}, **options)
    assert np.array_equal(by_class[0][2], labels + 1)
    by_image = Batches(images, labels, 20, sample_weights=labels + 1.0, **options)
    assert np.array_equal(by_image[0][2], labels + 1)
    images, masks = make_masks()
    masks[0, 0] = 255
    weights = data.class_weights(masks, ignore_class=255)
    batches = Batches(
        images, masks, 20, sample_weights=weights, ignore_class=255, **options
    )
    expected = np.vectorize({**weights, 255: 0.0}.get)(masks)
    assert np.allclose(batches[0][2], expected)
    by_image = Batches(
        images, masks, 20, sample_weights=labels, ignore_class=255, **options
    )
    assert np.array_equal(by_image[0][2][:, 1, 2], labels)


def test_class_weights_are_those_of_scikit_learn():
    labels = np.array([[0, 0, 3], [3, 3, 7]])
    expected = class_weight.compute_class_weight(
        "balanced", classes=np.array([0, 3, 7]), y=labels.ravel()
    )
    assert list(data.class_weights(labels).values()) == expected.tolist()
    assert data.class_weights(labels, ignore_class=7) == {0: 1.25, 3: 5 / 6}
    with pytest.raises(ValueError, match="must hold labels"):
        data.class_weights([255], ignore_class=255)


class Recorder(Batches):
    """Remembers what `fit` asked for while an epoch was running."""

    log = None

    def __getitem__(self, index):
        batch = super().__getitem__(index)
        self.log = self.log or {}
        self.log.setdefault(self.epoch, {})[index] = batch[0]
        return batch


def make_model(size=4, one_hot=False):
    layers = keras.layers
    outputs = [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3)]
    model = keras.Sequential([keras.Input((size, size, 1)), *outputs])
    kind = "CategoricalCrossentropy" if one_hot else "SparseCategoricalCrossentropy"
    model.compile(
        "sgd",
        getattr(keras.losses, kind)(from_logits=True),
        weighted_metrics=["accuracy"],
        jit_compile=True,
    )
    return model


@pytest.mark.parametrize("workers", [1, 2])
def test_fit_and_resume(workers):
    options = {"num_classes": 3, "augment": augmentations(), "seed": 5}

    def make(epoch=0):
        return Recorder(*make_images(), 8, epoch=epoch, workers=workers, **options)

    whole, resumed = make(), make(epoch=2)
    model = make_model()
    validation = Batches(*make_images(), 8, num_classes=3, shuffle=False)
    throughput = training.Throughput(whole)
    history = model.fit(
        whole,
        validation_data=validation,
        epochs=3,
        shuffle=False,
        callbacks=[throughput],
        verbose=0,
    ).history
    assert whole.epoch == 3 and sorted(whole.log) == [0, 1, 2]
    assert len(history["images_per_second"]) == 3
    assert training.count_compiles(whole, validation) == 2
    model.fit(resumed, initial_epoch=2, epochs=3, shuffle=False, verbose=0)
    for index in range(len(whole)):
        assert np.array_equal(resumed.log[2][index], whole.log[2][index])
        fresh = Batches(*make_images(), 8, epoch=1, **options)
        assert np.array_equal(fresh[index][0], whole.log[1][index])


def test_weighted_metrics_do_not_see_what_fills_up():
    images, labels = make_images()
    batches = Batches(images, labels, 8, num_classes=3, shuffle=False)
    model = make_model()
    logits = model.predict(images.astype("float32"), verbose=0)
    scores = model.evaluate(batches, return_dict=True, verbose=0)
    assert scores["accuracy"] == pytest.approx(np.mean(logits.argmax(-1) == labels))


def test_fit_with_mixing():
    batches = Batches(*make_images(), 8, num_classes=3, mixup=0.2, cutmix=1.0)
    model = make_model(one_hot=True)
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    assert batches.epoch == 2


def test_jax_backend_without_tensorflow():
    code = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow":
            raise ImportError(name)

sys.meta_path.insert(0, Block())
import keras
import numpy as np
from kerasseq import data
images, labels = data.load_labeled_images("synthetic", limit=64).train
layers = [keras.layers.RandomFlip(), keras.layers.RandomCrop(6, 6)]
options = {"num_classes": 10, "augment": layers}
make = lambda: data.ImageBatches(images, labels, 16, **options)
batches = make()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(batches, epochs=2, shuffle=False, verbose=0)
print(batches.epoch, np.array_equal(make()[1][0], make()[1][0]))
masks = (images[..., 0] // 26).astype("int32")
images = masks[..., None].astype("uint8")
served, masks, _ = data.ImageBatches(images, masks, 16, **options)[0]
print(np.array_equal(served[..., 0], masks))
"""
    done = jax_process.run("-c", code)
    assert done.stdout.split() == ["2", "True", "True"], done.stderr


def test_errors():
    images, labels = make_images()
    _, masks = make_masks()

    def refuses(match, images=images, targets=labels, batch_size=4, **options):
        with pytest.raises(ValueError, match=match):
            Batches(images, targets, batch_size, **{"num_classes": 3, **options})

    refuses(r"images\[..., None\].*\(20, 4, 4\)", images=images[..., 0])
    refuses("one class per image.*float64", targets=labels * 1.0)
    refuses(r"shape \(19,\)", targets=labels[1:])
    refuses(r"Received: \[2\] with num_classes=2", num_classes=2)
    refuses(r"Received: \[-1\]", targets=labels - 1)
    refuses("batch_size=0", batch_size=0)
    refuses("batch_size=21 for 20 images", batch_size=21)
    refuses("mixup=-1", mixup=-1)
    refuses("cutmix=2", cutmix=2)
    refuses("one_hot=False", mixup=0.2, one_hot=False)
    refuses("cannot be mixed.*cutmix=1", targets=masks, cutmix=1)
    refuses("cannot be mixed.*one_hot=True", targets=masks, one_hot=True)
    refuses("AugMix", targets=masks, augment=[keras.layers.AugMix()])
    refuses(r"none for \[1, 2\]", sample_weights={0: 1.0})
    refuses(r"shape \(4,\)", sample_weights=[1, 2, 3, 4])
    refuses("not negative.*-1", sample_weights=labels - 1)
    refuses("use_multiprocessing=True", use_multiprocessing=True)

import os
import pathlib

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from kerasseq import data
from kerasseq.data import _tfds_builder

load = data.load_labeled_images
TFDS = pathlib.Path(__file__).parents[3] / "shared/data/tfds"


def write(folder, count, value=0, size=(4, 6), colors=False):
    """Images whose first pixel says which they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = np.full(size, value + number, "uint8")
        image = np.stack([image, image, image * 0], -1) if colors else image
        Image.fromarray(image).save(folder / f"{number:03d}.png")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "b_dog", 20, value=100)
    write(tmp_path / "a_cat", 10)
    (tmp_path / "a_cat" / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def sizes(images):
    return [len(split[1]) for split in images[2:]]


def firsts(split):
    return split[0][:, 0, 0, 0].tolist()


def test_synthetic_digits():
    digits = load("synthetic")
    assert digits.name == "synthetic"
    assert digits.class_names == list("0123456789")
    assert sizes(digits) == [1258, 180, 359]
    images, labels = digits.train
    assert images.shape == (1258, 8, 8, 1) and images.dtype == "uint8"
    assert (images.min(), images.max()) == (0, 255) and labels.dtype == "int32"
    for _, labels in digits[2:]:
        fractions = np.bincount(labels) / len(labels)
        assert np.abs(fractions - 0.1).max() < 0.01
    rgb = load("synthetic", image_size=(16, 12), num_channels=3)
    assert rgb.train[0].shape == (1258, 16, 12, 3)


def test_what_is_split_off_follows_from_the_seed(folder):
    one, same, other = load(folder), load(folder), load(folder, seed=1)
    assert firsts(one.test) == firsts(same.test) != firsts(other.test)
    everything = firsts(one.train) + firsts(one.validation) + firsts(one.test)
    assert sorted(everything) == [*range(10), *range(100, 120)]


def test_folder_per_class(folder):
    images = load(folder)
    assert images.class_names == ["a_cat", "b_dog"]
    assert sizes(images) == [21, 3, 6]
    assert images.train[0].shape == (21, 4, 6, 1)
    for split in images[2:]:
        assert [value >= 100 for value in firsts(split)] == split[1].tolist()
        assert np.bincount(split[1]).argmax() == 1
    assert sizes(load(folder, validation_fraction=0.2, test_fraction=0.3)) == [15, 6, 9]


@pytest.mark.parametrize("name", ["validation", "val", "valid"])
def test_folders_above_the_classes(folder, tmp_path, name):
    for split, count in (("train", 9), (name, 4), ("test", 2)):
        write(tmp_path / "data" / split / "x", count)
        write(tmp_path / "data" / split / "y", count, value=100)
    assert sizes(load(tmp_path / "data")) == [18, 8, 4]


def test_only_missing_splits_are_cut_off(tmp_path):
    for split, count in (("train", 10), ("test", 2)):
        write(tmp_path / split / "x", count)
        write(tmp_path / split / "y", count, value=100)
    images = load(tmp_path)
    assert sizes(images) == [18, 2, 4]
    assert firsts(images.test) == [0, 1, 100, 101]


def test_a_class_may_be_called_train(tmp_path):
    write(tmp_path / "car", 4)
    write(tmp_path / "train", 4)
    assert load(tmp_path).class_names == ["car", "train"]


def test_one_color_image_makes_all_of_three_channels(folder):
    write(folder / "c_bird", 5, colors=True)
    assert load(folder).train[0].shape[1:] == (4, 6, 3)
    assert load(folder, num_channels=1).train[0].shape[1:] == (4, 6, 1)


def test_sizes_that_differ(folder):
    write(folder / "c_bird", 5, size=(8, 6))
    with pytest.raises(ValueError, match=r"image_size=.*4x6 \(30\), 8x6 \(5\)"):
        load(folder)
    assert load(folder, image_size=(5, 3)).train[0].shape[1:] == (5, 3, 1)


def test_limit():
    whole, few, more = (load("synthetic", limit=n) for n in (1.0, 10, 0.1))
    assert sizes(whole) == sizes(load("synthetic"))
    assert sorted(few.train[1]) == list(range(10))
    assert sizes(more) == [126, 180, 359]
    counts = np.bincount(whole.train[1]) * 0.1
    assert np.abs(np.bincount(more.train[1]) - counts).max() < 1
    assert {i.tobytes() for i in few.train[0]} <= {i.tobytes() for i in more.train[0]}
    assert np.array_equal(few.test[0], whole.test[0])
    for limit in (9, 0.001, 5000):
        with pytest.raises(ValueError, match=f"between 10 .*limit={limit}"):
            load("synthetic", limit=limit)


def test_folders_that_are_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="nowhere', which is no folder"):
        load(str(tmp_path / "nowhere"))
    (folder / "c_empty").mkdir()
    with pytest.raises(ValueError, match="c_empty' holds no image.*png"):
        load(folder)
    write(folder / "c_empty" / "deeper", 1)
    with pytest.raises(ValueError, match="class 'c_empty'.*deeper"):
        load(folder)
    write(tmp_path / "single" / "one", 5)
    with pytest.raises(ValueError, match=r"at least two.*\['one'\]"):
        load(tmp_path / "single")
    write(tmp_path / "flat", 5)
    with pytest.raises(ValueError, match=r"one folder of images per class.*\[\]"):
        load(tmp_path / "flat")


def test_images_beyond_the_memory_and_names_that_are_no_text(folder):
    with pytest.raises(ValueError, match="GB of memory.*`image_size`"):
        load(folder, image_size=10_000_000)
    os.rename(folder / "a_cat", os.fsencode(folder) + b"/a_c\xe4t")
    with pytest.raises(ValueError, match="must be UTF-8.*udce4"):
        load(folder)


def test_split_folders_that_are_refused(tmp_path):
    for split in ("train", "val"):
        write(tmp_path / split / "x", 3)
        write(tmp_path / split / "y", 3)
    write(tmp_path / "val" / "z", 3)
    with pytest.raises(ValueError, match=r"val' has classes.*\['z'\]"):
        load(tmp_path)
    (tmp_path / "valid").mkdir()
    with pytest.raises(ValueError, match="one validation.*valid'"):
        load(tmp_path)
    (tmp_path / "valid").rename(tmp_path / "test")
    (tmp_path / "val" / "z").rename(tmp_path / "test" / "x")
    (tmp_path / "test" / "x").rename(tmp_path / "z")
    with pytest.raises(ValueError, match="remove or rename.*z'"):
        load(tmp_path)
    (tmp_path / "z").rename(tmp_path.parent / f"{tmp_path.name}_z")
    with pytest.raises(ValueError, match="test' holds no class folders"):
        load(tmp_path)


def test_damaged_files_are_named(folder):
    path = folder / "a_cat" / "003.png"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match="003.png"):
        load(folder)


def test_too_few_to_split(tmp_path):
    write(tmp_path / "x", 10)
    write(tmp_path / "y", 2)
    with pytest.raises(ValueError, match="at least 3 images.*Received: y: 2"):
        load(tmp_path)
    for fractions in ((0.0, 0.2), (0.5, 0.5)):
        with pytest.raises(ValueError, match="test_fraction=0"):
            load(tmp_path, validation_fraction=fractions[0], test_fraction=fractions[1])


class TinyShapes(tfds.core.GeneratorBasedBuilder):
    """Twenty images of two classes, and a test split."""

    VERSION = tfds.core.Version("1.0.0")
    SHAPE = (4, 4, 1)

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=self.SHAPE),
                    "label": tfds.features.ClassLabel(names=["square", "disk"]),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples(20),
            "test": self._generate_examples(4),
        }

    def _generate_examples(self, count):
        for i in range(count):
            size = (4, 4 + (i % 2 if None in self.SHAPE else 0), 1)
            yield i, {"image": np.full(size, i, "uint8"), "label": i % 2}


class TinyMixedShapes(TinyShapes):
    """Of two sizes."""

    SHAPE = (None, None, 1)


class TinyTexts(TinyShapes):
    """No images."""

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"text": tfds.features.Text()})
        )

    def _generate_examples(self, count):
        yield 0, {"text": "a"}


@pytest.fixture
def network(monkeypatch):
    monkeypatch.setattr(_tfds_builder, "_has_network", lambda: True)


def test_tfds(tmp_path, network):
    images = load("tfds:tiny_shapes", data_dir=str(tmp_path))
    assert images.name == "tfds:tiny_shapes"
    assert images.class_names == ["square", "disk"]
    assert sizes(images) == [18, 2, 4]
    assert sorted(firsts(images.test)) == [0, 1, 2, 3]
    for split in images[2:]:
        assert [value % 2 for value in firsts(split)] == split[1].tolist()
    rgb = load("tfds:tiny_shapes", data_dir=str(tmp_path), image_size=2, num_channels=3)
    assert rgb.train[0].shape == (18, 2, 2, 3)


def test_tfds_of_several_sizes(tmp_path, network):
    options = {"data_dir": str(tmp_path)}
    with pytest.raises(ValueError, match=r"differ in size.*\(4, [45]\) and \(4, [45]"):
        load("tfds:tiny_mixed_shapes", **options)
    images = load("tfds:tiny_mixed_shapes", image_size=(6, 5), **options)
    assert images.train[0].shape == (18, 6, 5, 1)


def test_tfds_errors(tmp_path, monkeypatch, network):
    with pytest.raises(ValueError, match="'tfds:tiny_texts' has no labeled images"):
        load("tfds:tiny_texts", data_dir=str(tmp_path))
    with pytest.raises(ValueError, match="Cannot load the TFDS data set 'no_such'"):
        load("tfds:no_such", data_dir=str(tmp_path))
    monkeypatch.setattr(_tfds_builder, "_has_network", lambda: False)
    with pytest.raises(ValueError, match="not prepared there, and there is no network"):
        load("tfds:tiny_shapes", data_dir=str(tmp_path / "elsewhere"))


@pytest.mark.slow
@pytest.mark.skipif(not TFDS.is_dir(), reason="needs the shared data")
def test_fashion_mnist():
    images = load("tfds:fashion_mnist", data_dir=str(TFDS))
    assert sizes(images) == [54000, 6000, 10000]
    assert images.class_names[-1] == "Ankle boot"

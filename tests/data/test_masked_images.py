import pathlib

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from kerasseq import data
from kerasseq.data import _tfds_builder, _tfds_masks

load = data.load_masked_images
NUCLEI = pathlib.Path(__file__).parents[2] / "../shared/data/nuclei"


def write_pair(root, stem, mask, image=None, suffix="png"):
    """One pair; the image is gray and as bright as its number unless given."""
    mask = np.asarray(mask)
    if image is None:
        image = np.full(mask.shape, int("0" + "".join(filter(str.isdigit, stem))))
    for name, values, end in (("images", image, suffix), ("masks", mask, "png")):
        (root / name).mkdir(parents=True, exist_ok=True)
        values = np.asarray(values)
        values = values.astype("uint8" if values.max() < 256 else "uint16")
        Image.fromarray(values).save(root / name / f"{stem}.{end}")


def write_split(root, count=10, values=(0, 1), **kwargs):
    for number in range(count):
        mask = np.full((6, 8), values[0])
        mask.flat[: len(values)] = values
        mask[2:4, number % 8] = values[-1]
        write_pair(root, f"{number:02d}", mask, **kwargs)
    return root


def test_cuts_missing_splits_from_train(tmp_path):
    write_split(tmp_path, 20)
    images = load(str(tmp_path), validation_fraction=0.2, test_fraction=0.1)
    sizes = [len(split[0]) for split in (images.train, images.validation, images.test)]
    assert sizes == [14, 4, 2]
    assert images.name == str(tmp_path) and images.notes == ()
    assert images.class_names == ["background", "foreground"]
    assert images.ignore_class is None
    numbers = []
    for pictures, masks in (images.train, images.validation, images.test):
        assert pictures.shape[1:] == (6, 8, 1) and pictures.dtype == "uint8"
        assert masks.shape[1:] == (6, 8) and masks.dtype == "int32"
        for picture, mask in zip(pictures, masks, strict=True):
            assert mask[3, picture[0, 0, 0] % 8] == 1  # still a pair
            numbers.append(int(picture[0, 0, 0]))
    assert sorted(numbers) == list(range(20))


def test_seed(tmp_path):
    write_split(tmp_path, 20)
    first, again = load(tmp_path), load(tmp_path)
    np.testing.assert_array_equal(first.test[0], again.test[0])
    assert (first.test[0] != load(tmp_path, seed=1).test[0]).any()


@pytest.mark.parametrize("name", ["val", "validation", "valid"])
def test_own_splits(tmp_path, name):
    for split, count in (("train", 5), (name, 3), ("test", 2)):
        write_split(tmp_path / split, count)
    images = load(tmp_path)
    assert [len(split[1]) for split in images[3:6]] == [5, 3, 2]


def test_only_what_is_missing_is_cut(tmp_path):
    write_split(tmp_path / "train", 10)
    write_split(tmp_path / "val", 3)
    images = load(tmp_path, test_fraction=0.3)
    assert [len(split[1]) for split in images[3:6]] == [7, 3, 3]


def test_test_data(tmp_path):
    write_split(tmp_path / "train", 10)
    write_split(tmp_path / "val", 3)
    images = load(tmp_path / "train", test_data=tmp_path / "val")
    assert [len(split[1]) for split in images[3:6]] == [9, 1, 3]
    assert images.name.endswith("val")
    with pytest.raises(ValueError, match="`test_data` is the validation split"):
        load(tmp_path, test_data=tmp_path / "val")
    with pytest.raises(ValueError, match="data from a folder"):
        load("synthetic", test_data=tmp_path / "val")


def test_limit(tmp_path):
    write_split(tmp_path, 20)
    images = load(tmp_path)
    small = {number: load(tmp_path, limit=number) for number in (4, 0.5)}
    assert len(small[4].train[0]) == 4 and len(small[0.5].train[0]) == 7
    np.testing.assert_array_equal(small[4].test[0], images.test[0])
    seen = [set(each.train[0][:, 0, 0, 0].tolist()) for each in small.values()]
    assert seen[0] < seen[1]
    with pytest.raises(ValueError, match="all 14 training images.*limit=15"):
        load(tmp_path, limit=15)


def test_suffixes_and_channels(tmp_path):
    write_split(tmp_path, suffix="bmp")
    (tmp_path / "images" / "README.txt").write_text("no image")
    assert load(tmp_path).train[0].shape[-1] == 1
    write_pair(tmp_path, "99", np.eye(6, 8), np.full((6, 8, 3), 9), suffix="jpg")
    assert load(tmp_path).train[0].shape[-1] == 3
    assert load(tmp_path, num_channels=1).train[0].shape[-1] == 1


def test_resizing_keeps_class_numbers(tmp_path):
    write_split(tmp_path, values=(0, 1, 2))
    write_pair(tmp_path, "99", np.kron(np.arange(3), np.ones((9, 3), int)))
    with pytest.raises(ValueError, match=r"differ in size.*6x8 \(10\), 9x9 \(1\)"):
        load(tmp_path)
    images = load(tmp_path, image_size=(12, 16))
    assert images.train[0].shape[1:] == (12, 16, 1)
    assert images.train[1].shape[1:] == (12, 16)
    assert set(np.unique(images.train[1])) == {0, 1, 2}


@pytest.mark.parametrize(
    "values, expected, notes",
    [
        ((0, 255), (0, 1), "mask values 0 and 255 are classes 0 and 1"),
        ((3, 7), (0, 1), "mask values 3 and 7 are classes 0 and 1"),
        ((0, 40000), (0, 1), "mask values 0 and 40000 are classes 0 and 1"),
        ((0, 1, 2), (0, 1, 2), None),
        ((0, 1, 255), (0, 1, 255), "mask value 255 is the void label"),
    ],
)
def test_values(tmp_path, values, expected, notes):
    images = load(write_split(tmp_path, values=values))
    for split in (images.train, images.validation, images.test):
        np.testing.assert_array_equal(split[1][0].flat[: len(values)], expected)
    assert images.notes == ((notes,) if notes else ())
    assert images.ignore_class == (255 if 255 in expected else None)
    assert len(images.class_names) == len(set(expected) - {255})


def test_void_label_of_ones_own(tmp_path):
    images = load(write_split(tmp_path, values=(0, 5, 9)), ignore_class=0)
    np.testing.assert_array_equal(images.train[1][0].flat[:3], (255, 0, 1))
    assert images.ignore_class == 255
    assert images.notes == (
        "mask values 5 and 9 are classes 0 and 1",
        "mask value 0 is the void label, now 255",
    )


def test_class_names(tmp_path):
    write_split(tmp_path, values=(0, 2, 255))
    with pytest.raises(ValueError, match="gap.*0, 2, 255; 2 e.g. in the mask"):
        load(tmp_path)
    (tmp_path / "classes.txt").write_text("sky\nroad\ncar\n")
    images = load(tmp_path)
    assert images.class_names == ["sky", "road", "car"]
    assert images.ignore_class == 255
    (tmp_path / "classes.txt").write_text("sky\nroad\n")
    with pytest.raises(ValueError, match="of the 2 class names"):
        load(tmp_path)
    (tmp_path / "classes.txt").write_text("sky\nsky\n")
    with pytest.raises(ValueError, match="classes.txt' must hold.*'sky', 'sky'"):
        load(tmp_path)


@pytest.mark.parametrize("value", [3, 255])
def test_unknown_values(tmp_path, value):
    write_split(tmp_path / "train")
    write_split(tmp_path / "val", 2)
    write_pair(tmp_path / "val", "50", np.full((6, 8), value))
    with pytest.raises(ValueError, match=f"50.png' holds values.*: {value}. Expected"):
        load(tmp_path)


def test_void_label_in_validation_alone(tmp_path):
    write_split(tmp_path / "train")
    write_split(tmp_path / "val", 2, values=(0, 1, 255))
    images = load(tmp_path, ignore_class=255)
    assert images.ignore_class == 255
    np.testing.assert_array_equal(images.validation[1][0].flat[:3], (0, 1, 255))


def test_one_class_alone(tmp_path):
    write_split(tmp_path, values=(0,))
    with pytest.raises(ValueError, match=r"at least two classes.*value\(s\) 0"):
        load(tmp_path)


def test_mask_that_looks_like_a_picture(tmp_path):
    write_split(tmp_path)
    write_pair(tmp_path, "99", np.arange(80).reshape(8, 10))
    with pytest.raises(ValueError, match="99.png' looks like a picture.*80 different"):
        load(tmp_path, image_size=(8, 10))


def test_pairs_that_do_not_fit(tmp_path):
    write_split(tmp_path)
    (tmp_path / "masks" / "03.png").rename(tmp_path / "masks" / "03_mask.png")
    with pytest.raises(ValueError, match=r"1 image\(s\) without a mask: \['03'\]"):
        load(tmp_path)
    (tmp_path / "images" / "03.png").unlink()
    with pytest.raises(ValueError, match=r"1 mask\(s\) without.*: \['03_mask'\]"):
        load(tmp_path)
    (tmp_path / "masks" / "03_mask.png").unlink()
    Image.new("L", (5, 6)).save(tmp_path / "masks" / "04.png")
    with pytest.raises(ValueError, match=r"\(6, 8\).*images/04.png', \(6, 5\)"):
        load(tmp_path, image_size=(6, 8))
    Image.new("L", (8, 6)).save(tmp_path / "masks" / "04.bmp")
    with pytest.raises(ValueError, match="have the same stem.*'04.bmp' and '04.png'"):
        load(tmp_path)


def test_files_that_are_no_images(tmp_path):
    write_split(tmp_path)
    content = (tmp_path / "images" / "05.png").read_bytes()
    (tmp_path / "images" / "05.png").write_bytes(content[:50])
    with pytest.raises(ValueError, match="images/05.png"):
        load(tmp_path)
    (tmp_path / "images" / "05.png").write_bytes(content)
    (tmp_path / "masks" / "06.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="masks/06.png"):
        load(tmp_path)


def test_folders_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match="images/ and masks/.*nowhere', which is no"):
        load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="images/ and masks/.*no folder 'images'"):
        load(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(ValueError, match="images' holds no image"):
        load(tmp_path)
    write_split(tmp_path / "train")
    with pytest.raises(ValueError, match="remove or rename others.*images'"):
        load(tmp_path)


def test_too_few_images(tmp_path):
    write_split(tmp_path, 2)
    with pytest.raises(ValueError, match="Too few images.*2 training images"):
        load(tmp_path)
    with pytest.raises(ValueError, match="test_fraction=0"):
        load(tmp_path, test_fraction=0)


def test_synthetic():
    images = load("synthetic", num_examples=20, image_size=48, num_channels=3, seed=2)
    assert [len(split[0]) for split in images[3:6]] == [14, 2, 4]
    assert images.train[0].shape[1:] == (48, 48, 3)
    assert images.name == "synthetic"
    pictures, masks, _ = data.generated_cells(20, 48, seed=2)
    row = np.flatnonzero((pictures == images.test[0][0, ..., :1]).all((1, 2, 3)))
    np.testing.assert_array_equal(masks[row[0]], images.test[1][0])
    with pytest.raises(ValueError, match=r"square.*\(48, 64\)"):
        load("synthetic", image_size=(48, 64))


@pytest.mark.skipif(not NUCLEI.is_dir(), reason="the nuclei are not there")
def test_nuclei():
    images = load(NUCLEI / "train", test_data=NUCLEI / "val")
    assert [len(split[0]) for split in images[3:6]] == [479, 53, 132]
    assert images.train[0].shape[1:] == (96, 96, 3)
    assert images.ignore_class is None
    assert 0.05 < images.test[1].mean() < 0.3
    assert load(NUCLEI).validation[0].shape[0] == 132


class TinyMasks(tfds.core.GeneratorBasedBuilder):
    """Twenty images of two sizes; trimaps as those of the pets."""

    VERSION = tfds.core.Version("1.0.0")
    FEATURES = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(num_classes=2),
        "segmentation_mask": tfds.features.Image(shape=(None, None, 1)),
    }

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(self.FEATURES)
        )

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples(20),
            "test": self._generate_examples(2),
        }

    def _generate_examples(self, count):
        for i in range(count):
            size = (6, 9 + 3 * (i % 2))
            mask = np.kron(np.array([1, 2, 3], "uint8"), np.ones((6, size[1] // 3)))
            yield (
                i,
                {
                    "image": np.full((*size, 3), i, "uint8"),
                    "label": 0,
                    "segmentation_mask": mask.astype("uint8")[..., None],
                },
            )


class TinyLabels(TinyMasks):
    """Without masks."""

    FEATURES = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(num_classes=2),
    }

    def _generate_examples(self, count):
        yield 0, {"image": np.zeros((4, 4, 3), "uint8"), "label": 0}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setattr(_tfds_builder, "_has_network", lambda: True)
    return {"data_dir": str(tmp_path)}


def test_tfds_trimaps(tiny, monkeypatch):
    monkeypatch.setattr(_tfds_masks, "_TRIMAPS", ("tiny_masks",))
    images = load("tfds:tiny_masks", image_size=(4, 6), **tiny)
    assert [len(split[0]) for split in images[3:6]] == [18, 2, 2]
    assert images.train[0].shape[1:] == (4, 6, 3)
    assert images.class_names == ["background", "pet"]
    assert images.ignore_class == 255
    for _, masks in images[3:6]:
        np.testing.assert_array_equal(masks[0, 0], [1, 1, 0, 0, 255, 255])
    with pytest.raises(ValueError, match="differ in size; pass `image_size"):
        load("tfds:tiny_masks", **tiny)


def test_tfds_masks_of_classes(tiny):
    with pytest.raises(
        ValueError,
        match="without gaps.*1, 2, 3; 3 e.g. in the mask of example 0 of train",
    ):
        load("tfds:tiny_masks", image_size=6, **tiny)
    images = load("tfds:tiny_masks", image_size=6, ignore_class=3, **tiny)
    assert images.class_names == ["background", "foreground"]
    assert set(np.unique(images.train[1])) == {0, 1, 255}


def test_tfds_without_masks(tiny):
    with pytest.raises(ValueError, match="tiny_labels' has no images with masks"):
        load("tfds:tiny_labels", **tiny)


def test_pets_have_the_features_we_read():
    features = tfds.builder("oxford_iiit_pet", data_dir="/nowhere").info.features
    assert {"image", "segmentation_mask"} <= features.keys()

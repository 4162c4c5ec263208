import json

import numpy as np
import pytest
from PIL import Image

from kerasseq import lite
from kerasseq.lite import _image_segmenter, packed_files
from tests.lite import hand_made

SIDE = hand_made.SIDE
PARTS = {"labels.json": json.dumps(["ground", "cell", "edge"]).encode()}


def pixels(*shape):
    return np.random.default_rng(0).permuted(np.arange(256, dtype="uint8"))[
        np.random.default_rng(1).integers(0, 256, shape)
    ]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = hand_made.segmenter(tmp_path_factory.mktemp("masks") / "model.tflite")
    packed_files.pack(path, PARTS)
    return path


@pytest.fixture(scope="module")
def segmenter(path):
    return lite.ImageSegmenter(path)


class TestBasics:
    def test_attributes(self, segmenter):
        assert segmenter.class_names == ["ground", "cell", "edge"]
        assert segmenter.input_shape == (SIDE, SIDE, 3)
        assert segmenter.overlap == 0.5 and segmenter.card == {}

    @pytest.mark.parametrize("size", [(SIDE, SIDE), (20, 33), (3, 5), (8, 30)])
    @pytest.mark.parametrize("overlap", [0, 0.5, 0.99])
    def test_any_size(self, path, size, overlap):
        # The hand-made file says pixel by pixel which channel is the largest.
        image = pixels(*size, 3)
        outputs = lite.ImageSegmenter(path, overlap)(image)
        assert list(outputs) == ["edges", "mask", "reconstruction"]
        assert outputs["mask"].dtype == outputs["edges"].dtype == "int32"
        assert np.array_equal(outputs["mask"], image.argmax(-1))
        assert np.array_equal(outputs["edges"], image.argmin(-1))
        assert np.allclose(outputs["reconstruction"], image, rtol=1e-6)

    def test_kinds_of_images(self, segmenter):
        image = pixels(20, 12, 3)
        expected = segmenter(image)["mask"]
        for other in (image.astype("int64"), Image.fromarray(image)):
            assert np.array_equal(segmenter(other)["mask"], expected)
        assert segmenter(image[..., 0])["mask"].shape == (20, 12)

    def test_files(self, segmenter, tmp_path):
        image = pixels(20, 12, 3)
        Image.fromarray(image).save(tmp_path / "a.png")
        assert np.array_equal(segmenter.read(tmp_path / "a.png"), image)

    def test_classes_of_a_model(self):
        """Its outputs have the names of the heads."""
        outputs = {"mask": np.eye(3)[None], "target": np.ones((1, 3, 3))}
        found = _image_segmenter.classes(outputs)
        assert found["mask"].tolist() == [[0, 1, 2]]
        assert found["target"] is outputs["target"]


class TestErrors:
    def test_overlap(self, path):
        for overlap in (-0.1, 1):
            with pytest.raises(ValueError, match=f"overlap={overlap}"):
                lite.ImageSegmenter(path, overlap)

    def test_images(self, segmenter):
        with pytest.raises(ValueError, match="one at a time"):
            segmenter(pixels(1, 20, 12, 3))
        with pytest.raises(ValueError, match="from 0 to 255"):
            segmenter(pixels(20, 12, 3) / 255)

    def test_file_that_is_not_square(self, tmp_path):
        path = hand_made.segmenter(tmp_path / "model.tflite", width=16)
        packed_files.pack(path, PARTS)
        segmenter = lite.ImageSegmenter(path)
        assert segmenter(pixels(SIDE, 16, 3))["mask"].shape == (SIDE, 16)
        with pytest.raises(ValueError, match="8x16, and only square ones"):
            segmenter(pixels(20, 20, 3))

    def test_labels_of_another_model(self, tmp_path):
        path = hand_made.segmenter(tmp_path / "model.tflite")
        packed_files.pack(path, {"labels.json": b'["a"]'})
        with pytest.raises(ValueError, match="3 classes and labels.json 1"):
            lite.ImageSegmenter(path)

    @pytest.mark.parametrize("kind", ["translator", "classifier"])
    def test_file_of_another_kind(self, tmp_path, kind):
        path = getattr(hand_made, kind)(tmp_path / "a.tflite")
        with pytest.raises(ValueError, match="not a segmenter: it has no signature"):
            lite.ImageSegmenter(path)

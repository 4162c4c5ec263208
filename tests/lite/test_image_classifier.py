import json

import numpy as np
import pytest
from PIL import Image

from kerasseq import lite
from kerasseq.lite import packed_files
from tests.lite import hand_made

NAMES = ["cat", "dog", "owl"]
PARTS = {"labels.json": json.dumps(NAMES).encode(), "card.json": b'{"task": "t"}'}
SIZE = (hand_made.SIDE, hand_made.SIDE)


def pixels(*color, size=SIZE, dtype="uint8"):
    return np.full((*size, len(color)), color, dtype)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = hand_made.classifier(tmp_path_factory.mktemp("images") / "model.tflite")
    packed_files.pack(path, PARTS)
    return path


@pytest.fixture(scope="module")
def classifier(path):
    return lite.ImageClassifier(path)


class TestBasics:
    def test_attributes(self, classifier):
        assert classifier.class_names == NAMES
        assert classifier.input_shape == (*SIZE, 3)
        assert classifier.card == {"task": "t"}
        assert list(classifier.runner.signatures) == ["serve"]

    def test_probabilities(self, classifier):
        # The hand-made file returns the means of the channels.
        assert classifier(pixels(3, 7, 5)).tolist() == [3, 7, 5]
        assert classifier.classify(pixels(3, 7, 5)) == ("dog", 7.0)

    @pytest.mark.parametrize("dtype", ["int64", "int32", "uint16", "int8"])
    def test_integers(self, classifier, dtype):
        assert classifier(pixels(3, 7, 5, dtype=dtype)).tolist() == [3, 7, 5]

    def test_gray(self, classifier):
        gray = pixels(9)
        assert classifier(gray).tolist() == classifier(gray[..., 0]).tolist() == 3 * [9]

    def test_pillow(self, classifier):
        image = Image.fromarray(pixels(0, 0, 9))
        assert classifier(image).tolist() == [0, 0, 9]
        assert classifier.classify(image.resize((5, 20))) == ("owl", 9.0)
        clear = Image.new("RGBA", SIZE, (0, 0, 0, 0))
        assert classifier(clear).tolist() == 3 * [255]  # laid on white

    def test_files(self, classifier, tmp_path):
        Image.fromarray(pixels(8, 0, 0, size=(30, 20))).save(tmp_path / "a.png")
        assert classifier.read(tmp_path / "a.png").shape == (*SIZE, 3)
        assert classifier.classify(tmp_path / "a.png") == ("cat", 8.0)
        assert classifier.classify(str(tmp_path / "a.png"))[0] == "cat"

    def test_other_sizes(self, classifier):
        assert classifier.classify(pixels(0, 9, 0, size=(5, 40))) == ("dog", 9.0)

    def test_gray_file(self, tmp_path):
        path = hand_made.classifier(tmp_path / "model.tflite", channels=1)
        packed_files.pack(path, {"labels.json": b'["one"]'})
        classifier = lite.ImageClassifier(tmp_path)
        image = pixels(200, 100, 50)
        expected = np.asarray(Image.fromarray(image).convert("L"))[0, 0]
        assert classifier(image).tolist() == [expected]
        assert classifier(image[..., 0]).tolist() == [200]


class TestErrors:
    @pytest.mark.parametrize(
        "image, message",
        [
            (pixels(1, 2, 3, size=(8, 9)), r"shape \(8, 8, 3\); `classify` resizes"),
            (pixels(1, 2, 3)[None], r"one at a time.*\(1, 8, 8, 3\)"),
            (pixels(1, 2, 3, 4), "images with 3 channels"),
            (pixels(0.1, 0.2, 0.3, dtype="float64"), r"from 0 to 1 with.*float64"),
            (pixels(1, 2, 300, dtype="int64"), "Received: values from 1 to 300"),
            (pixels(1, 2, -1, dtype="int8"), "Received: values from -1 to 2"),
            (pixels(1, 0, 1, dtype="bool"), "integers from 0 to 255.*bool"),
            (pixels(size=(8, 0)), "Received: an array of shape"),
            (7, "one at a time"),
            ("cat.png", "integers from 0 to 255"),
        ],
    )
    def test_images(self, classifier, image, message):
        with pytest.raises(ValueError, match=message):
            classifier(image)

    def test_no_image_file(self, classifier, tmp_path):
        with pytest.raises(ValueError, match="there is no such file"):
            classifier.classify(tmp_path / "nothing.png")

    @pytest.mark.parametrize(
        "labels, message",
        [
            (None, "'labels.json' is neither packed into"),
            (b'["one"]', "3 classes and labels.json 1: they are of different models"),
            (b'["one", 2, 3]', "must hold names"),
            (b"{}", "must hold a JSON list"),
            (b"[", "damaged"),
        ],
    )
    def test_labels(self, tmp_path, labels, message):
        path = hand_made.classifier(tmp_path / "model.tflite")
        packed_files.pack(path, {"labels.json": labels} if labels else {})
        with pytest.raises(ValueError, match=message):
            lite.ImageClassifier(path)

    @pytest.mark.parametrize("kind", ["translator", "segmenter"])
    def test_file_of_another_kind(self, tmp_path, kind):
        path = getattr(hand_made, kind)(tmp_path / "a.tflite")
        message = "not an image classifier.*`serve.*probabilities.*Translator|Segmenter"
        with pytest.raises(ValueError, match=message):
            lite.ImageClassifier(path)

import json

import numpy as np
import pytest
from PIL import Image

from kerasseq import lite
from kerasseq.data import SentenceWords
from kerasseq.lite import packed_files
from tests.lite import hand_made

WORDS = SentenceWords.of(["a red circle, a blue square."])
A, CIRCLE, COMMA, END = (*(WORDS.encode(x)[0] for x in ("a", "circle", ",")), 3)
PARTS = {"vocabulary.json": WORDS.to_bytes(), "card.json": b'{"task": "caption"}'}
SIZE = (hand_made.SIDE, hand_made.SIDE)


def pixels(*numbers, channels=3, size=SIZE, dtype="uint8"):
    """An image whose first row holds the numbers of words."""
    image = np.zeros((*size, channels), dtype)
    image[0, : len(numbers)] = np.array(numbers)[:, None]
    return image


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = hand_made.captioner(tmp_path_factory.mktemp("images") / "model.tflite")
    packed_files.pack(path, PARTS)
    return path


@pytest.fixture(scope="module")
def captioner(path):
    return lite.Captioner(path)


class TestBasics:
    def test_attributes(self, captioner):
        assert captioner.words == WORDS.words
        assert captioner.input_shape == (*SIZE, 3)
        assert captioner.card == {"task": "caption"}

    def test_captions(self, captioner):
        numbers = (A, CIRCLE, COMMA, END, A)  # what follows the end is left out
        ((text, score),) = captioner(pixels(*numbers))
        assert (text, score) == ("a circle,", sum(numbers))
        assert captioner(pixels(END)) == [("", 3.0)]

    def test_num_best(self, captioner):
        image = pixels(A, END)
        assert len(captioner(image, num_best=2)) == len(captioner(image, 9)) == 2

    def test_gray_and_other_integers(self, captioner):
        image = pixels(A, CIRCLE, END, channels=1, dtype="int64")
        for given in (image, image[..., 0]):
            assert captioner(given)[0][0] == "a circle"

    def test_files_and_other_sizes(self, captioner, tmp_path):
        image = np.full((30, 20, 3), A, "uint8")
        Image.fromarray(image).save(tmp_path / "a.png")
        assert captioner.read(tmp_path / "a.png").shape == (*SIZE, 3)
        expected = " ".join(["a"] * SIZE[1])
        for given in (tmp_path / "a.png", str(tmp_path / "a.png"), image):
            assert captioner(given)[0][0] == expected
        assert captioner(Image.fromarray(image))[0][0] == expected

    def test_gray_file(self, tmp_path):
        path = hand_made.captioner(tmp_path / "model.tflite", channels=1)
        packed_files.pack(path, PARTS)
        assert lite.Captioner(tmp_path)(pixels(A, END, channels=3))[0][0] == "a"

    def test_vocabulary_beside_the_file(self, tmp_path):
        hand_made.captioner(tmp_path / "model.tflite")
        (tmp_path / "vocabulary.json").write_bytes(PARTS["vocabulary.json"])
        assert lite.Captioner(tmp_path)(pixels(A, END))[0][0] == "a"


class TestErrors:
    @pytest.mark.parametrize(
        "image, message",
        [
            (pixels(1)[None], "one at a time"),
            (pixels(1, channels=4), "images with 3 channels"),
            (pixels(1, dtype="float64"), "from 0 to 1 with.*float64"),
            (pixels(300, dtype="int64"), "Received: values from 0 to 300"),
            (7, "one at a time"),
            (pixels(99, END), f"has {len(WORDS)} words, and the model more"),
        ],
    )
    def test_images(self, captioner, image, message):
        with pytest.raises(ValueError, match=message):
            captioner(image)

    def test_no_image_file(self, captioner, tmp_path):
        with pytest.raises(ValueError, match="there is no such file"):
            captioner(tmp_path / "nothing.png")

    def test_num_best(self, captioner):
        for wrong in (0, 1.5, None):
            with pytest.raises(ValueError, match=f"num_best={wrong}"):
                captioner(pixels(1), num_best=wrong)

    @pytest.mark.parametrize(
        "content, message",
        [
            (None, "'vocabulary.json' is neither packed into"),
            (b"[", "vocabulary.json of .* is damaged"),
            (b"[]", "vocabulary.json of .* is damaged"),
            (b"{}", "vocabulary.json of .* is damaged"),
            (json.dumps({"words": ["a", "b"]}).encode(), "begins with"),
            (json.dumps({"words": 7}).encode(), "is damaged"),
        ],
    )
    def test_vocabulary(self, tmp_path, content, message):
        path = hand_made.captioner(tmp_path / "model.tflite")
        packed_files.pack(path, {"vocabulary.json": content} if content else {})
        with pytest.raises(ValueError, match=message):
            lite.Captioner(path)

    @pytest.mark.parametrize(
        "kind, what",
        [
            ("translator", "a translator: open it with `lite.Translator`"),
            ("generator", "a language model: open it with `lite.TextGenerator`"),
            ("classifier", "images: open it with `lite.ImageClassifier`"),
        ],
    )
    def test_file_of_another_kind(self, tmp_path, kind, what):
        path = getattr(hand_made, kind)(tmp_path / "a.tflite")
        with pytest.raises(ValueError, match="not a captioner.*" + what):
            lite.Captioner(path)

import json
import types

import pytest

from kerasseq import data, lite
from kerasseq.lite import _text_classifier, packed_files
from tests.lite import hand_made

WORDS = data.Words(["good", "not", "!"])
PARTS = {
    "labels.json": json.dumps(["bad", "fine"]).encode(),
    "vocabulary.json": WORDS.to_bytes(),
    "card.json": b'{"task": "t"}',
}


@pytest.fixture
def path(tmp_path):
    return hand_made.text_classifier(tmp_path / "model.tflite", attention=True)


@pytest.fixture
def classifier(path):
    packed_files.pack(path, PARTS)
    return lite.TextClassifier(path)


class TestBasics:
    def test_attributes(self, classifier):
        assert classifier.class_names == ["bad", "fine"]
        assert classifier.length == hand_made.LENGTH
        assert classifier.vocabulary.words == WORDS.words
        assert classifier.card == {"task": "t"}

    def test_words_become_numbers(self, classifier):
        # The hand-made file returns the first two tokens as they are.
        assert classifier("Not good!").tolist() == [3, 2]
        assert classifier.classify("Not good!") == ("bad", 3.0)
        assert classifier.classify("strange !") == ("fine", 4.0)
        assert classifier("good").tolist() == [2, 0]

    def test_a_long_text_is_cut(self, classifier):
        assert classifier("good " * 99).tolist() == [2, 2]
        assert len(classifier.attention("good " * 99)) == hand_made.LENGTH

    def test_attention(self, classifier):
        assert classifier.attention("Not SO good") == [
            ("not", 3.0),
            ("so", 1.0),
            ("good", 2.0),
        ]

    def test_files_beside(self, path):
        for name, content in PARTS.items():
            path.with_name(name).write_bytes(content)
        assert lite.TextClassifier(path.parent)("good").tolist() == [2, 0]


class TestErrors:
    @pytest.mark.parametrize(
        "text, message",
        [("", "no words"), (" \n", "no words"), (7, "a string. Received: int")],
    )
    def test_texts(self, classifier, text, message):
        with pytest.raises(ValueError, match=message):
            classifier(text)

    @pytest.mark.parametrize("text", [5, None, b"good", ["good"], ""])
    def test_texts_that_come_bit_by_bit(self, text):
        runner = types.SimpleNamespace(stateful=lambda name: None)
        classifier = types.SimpleNamespace(runner=runner, vocabulary=WORDS)
        stream = _text_classifier.TextStream(classifier)
        with pytest.raises(ValueError, match="A text is a string|has no words"):
            stream(text)

    def test_no_attention(self, tmp_path):
        path = hand_made.text_classifier(tmp_path / "a.tflite")
        packed_files.pack(path, PARTS)
        with pytest.raises(ValueError, match="--pooling=attention"):
            lite.TextClassifier(path).attention("good")

    @pytest.mark.parametrize(
        "parts, message",
        [
            ({}, "'labels.json' is neither packed into"),
            ({"vocabulary.json": None}, "'vocabulary.json' is neither packed into"),
            (
                {"vocabulary.json": b"[]"},
                "vocabulary.json of .* no vocabulary of words",
            ),
            ({"labels.json": b'["one"]'}, "2 classes and labels.json 1"),
            ({"labels.json": b"{"}, "damaged"),
        ],
    )
    def test_parts(self, path, parts, message):
        merged = PARTS | parts if parts else {}
        packed_files.pack(path, {k: x for k, x in merged.items() if x is not None})
        with pytest.raises(ValueError, match=message):
            lite.TextClassifier(path)

    @pytest.mark.parametrize("kind", ["translator", "classifier"])
    def test_file_of_another_kind(self, tmp_path, kind):
        path = getattr(hand_made, kind)(tmp_path / "a.tflite")
        message = r"not a text classifier.*`serve\(.*lite.(Translator|ImageClassifier)"
        with pytest.raises(ValueError, match=message):
            lite.TextClassifier(path)

    def test_it_is_named_where_another_is_wanted(self, path):
        with pytest.raises(ValueError, match="open it with `lite.TextClassifier`"):
            lite.ImageClassifier(path)

"""The signature of one word: a text that comes bit by bit."""

import json

import numpy as np
import pytest

from kerasseq import data, export, lite, models
from kerasseq.lite import packed_files
from recipes.classify_text import signatures

TEXT = "The soup was not bad, but it was not cheap."


def exported(folder, pooling):
    words = data.Words.train([TEXT])
    sizes = {"units": 8, "embedding_dim": 6}
    model = models.text_classifier(len(words), 3, arch="gru", pooling=pooling, **sizes)
    export.export_model(
        model, folder, signatures=lambda twin: signatures.serve(twin, 16, 1.3)
    )
    labels = json.dumps(["one", "two", "three"]).encode()
    parts = {"labels.json": labels, words.file_name: words.to_bytes()}
    packed_files.pack(folder / "model.tflite", parts)
    return lite.TextClassifier(folder)


def test_bit_by_bit_it_gives_what_the_text_so_far_gives(tmp_path):
    classifier = exported(tmp_path, "last")
    stream = classifier.stream()
    for _ in range(2):
        so_far = ""
        for part in ("The soup", "was not", "bad, but it was not cheap."):
            so_far = f"{so_far} {part}"
            name, probability = stream(part)
            expected, value = classifier.classify(so_far)
            assert name == expected
            assert probability == pytest.approx(value, abs=1e-5)
        with pytest.raises(ValueError, match="has no words"):
            stream("  ")
        stream.reset()


def test_an_unknown_number_counts_as_the_unknown_word(tmp_path):
    runner = exported(tmp_path, "last").runner
    found = [
        runner.stateful("step")(tokens=np.array([[number]], "int32"))["probabilities"]
        for number in (1, -7, 9999)
    ]
    np.testing.assert_array_equal(found[1:], found[:1] * 2)


def test_a_model_that_needs_the_whole_text(tmp_path):
    with pytest.raises(ValueError, match="--pooling=last, to classify word by word"):
        exported(tmp_path, "max").stream()

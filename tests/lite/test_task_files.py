import types

import pytest

from kerasseq.lite import _task_files


def runner(**outputs):
    signatures = {"step": {"inputs": {}, "outputs": outputs}}
    return types.SimpleNamespace(signatures=signatures)


def test_a_vocabulary_larger_than_the_models():
    file = runner(logits=((1, 9), "float32"))
    for size in (3, 9):
        _task_files.check_vocabulary(file, "model.tflite", size)
    with pytest.raises(ValueError, match="has 10 entries and the model knows 9"):
        _task_files.check_vocabulary(file, "model.tflite", 10)


def test_a_file_that_does_not_tell():
    for file in (runner(), types.SimpleNamespace(signatures={"beam": {}})):
        _task_files.check_vocabulary(file, "model.tflite", 10)

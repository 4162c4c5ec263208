"""A `Lambda` of Keras 2: what is read of its code, what stands for it."""

import base64
import json
import marshal
import random
import shutil

import h5py
import keras
import numpy as np
import pytest

from kerasseq import cli, convert
from kerasseq.convert.keras2.lambda_layers import LambdaFunction, Unreadable

# `lambda x: K.mean(x[:, c:], axis=1) / 127.5 - c`, c = 1, by different versions.
PYTHON_3_6 = (
    "4wEAAAAAAAAAAQAAAAUAAAATAAAAcyYAAAB0AGoBfABkAGQAhQKIAGQAhQJmAhkAZAFkAo"
    "0CZAMbAIgAGABTACkETukBAAAAKQFaBGF4aXNnAAAAAADgX0ApAtoBS1oEbWVhbikB2gF4"
    "KQHaAWOpAPoIbW9kZWwucHnaCDxsYW1iZGE+AQAAAHMAAAAA"
)
PYTHON_3_10 = (
    "4wEAAAAAAAAAAAAAAAEAAAAFAAAAEwAAAHMmAAAAdABqAXwAZABkAIUCiABkAIUCZgIZAG"
    "QBZAKNAmQDGwCIABgAUwApBE7pAQAAACkBWgRheGlzZwAAAAAA4F9AKQLaAUtaBG1lYW4p"
    "AdoBeKkB2gFjqQD6CG1vZGVsLnB52gg8bGFtYmRhPgEAAABzAgAAACYA"
)
OTHERS = {
    "3.13": (
        "4wEAAAAAAAAAAAAAAAYAAAATAAAA80oAAAA+AZUAWwAAAAAAAAAAAFIDAAAAAAAAAAAAAA"
        "AAAAAAAAAAVQBTAFMAMgJUAVMAMgI0AgUAAABTAVMCOQJTAy0LAABUAS0KAAAkACkETukB"
        "AAAAKQHaBGF4aXNnAAAAAADgX0ApAtoBS9oEbWVhbikC2gF42gFjcwIAAAAggNoIbW9kZW"
        "wucHnaCDxsYW1iZGE+2hNvLjxsb2NhbHM+LjxsYW1iZGE+AQAAAHMmAAAA+IAAnDGfNpk2"
        "oCGiQaBxoXKgRaEosBGYNtAbM7Bl0Rs7uGHSGz/zAAAAAA=="
    ),
    "2.7": (
        "YwEAAAABAAAABQAAABMAAABzMQAAAHQAAGoBAHwAAGQAAGQAAIUCAIgAAGQAAIUCAGYCAB"
        "lkAQBkAgCDAQFkAwAViAAAGFMoBAAAAE50BAAAAGF4aXNpAQAAAGcAAAAAAOBfQCgCAAAA"
        "dAEAAABLdAQAAABtZWFuKAEAAAB0AQAAAHgoAQAAAHQBAAAAYygAAAAAcwgAAABtb2RlbC"
        "5weXQIAAAAPGxhbWJkYT4BAAAAdAAAAAA="
    ),
}


def written(function):
    code = base64.b64encode(marshal.dumps(function.__code__)).decode()
    return {"name": "f", "function": [code, function.__defaults__, None]}


@pytest.mark.parametrize("code", [PYTHON_3_6, PYTHON_3_10])
def test_older_versions_of_python(code):
    function = LambdaFunction({"name": "f", "function": [code, None, [1]]})
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, function(inputs))
    x = np.arange(24.0).reshape(2, 4, 3)
    np.testing.assert_allclose(model(x), x[:, 1:].mean(1) / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("version", OTHERS)
def test_other_versions_of_python(version):
    with pytest.raises(Unreadable, match="another version of Python"):
        LambdaFunction({"name": "f", "function": [OTHERS[version], None, [1]]})


@pytest.mark.parametrize(
    "function, reason",
    [
        (lambda x: open("RAN", "w"), "calls `open`"),
        (lambda x: eval("x"), "calls `eval`"),
        (lambda x: tf.io.gfile.remove("x"), "calls `tf.io.gfile.remove`"),  # noqa: F821
        (lambda x: x.__class__.__mro__[0], "uses the value|expression"),
        (lambda x: x * alpha, "uses `alpha`, which is not in the file"),  # noqa: F821
        (lambda x: x if x else 0, "more than an expression"),
        (lambda x: [y for y in x], "more than an expression|function|version"),
        (lambda x, y: x, "takes more than its input"),
    ],
)
def test_what_is_not_read(function, reason):
    inputs = keras.Input((4,))
    with pytest.raises(ValueError, match=reason):
        LambdaFunction(written(function))(inputs)


def test_hostile_code():
    """Random and mutated bytes are refused; none is run, none ends the process."""
    good, rng = bytearray(base64.b64decode(PYTHON_3_10)), random.Random(0)
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        cut = data[: rng.randint(0, len(data))] if rng.random() < 0.3 else data
        code = base64.b64encode(bytes(cut)).decode()
        try:
            LambdaFunction({"name": "f", "function": [code, None, [1]]})
        except Unreadable:
            pass


class Half(keras.layers.Layer):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, inputs):
        return inputs / self.by

    def get_config(self):
        return super().get_config() | {"by": self.by}


class TestLayerClasses:
    @pytest.fixture
    def old(self, keras2_files, tmp_path):
        """Two stacks with a `Lambda` that is not read, named `own/f` and `own2`."""
        path = tmp_path / "old.h5"
        shutil.copy(keras2_files / "code.h5", path)
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            [_, node] = config["config"]["layers"]
            node["config"]["arguments"] = {"by": 4.0}
            file.attrs["model_config"] = json.dumps(config)
        return path

    def test_for_one_layer(self, old, tmp_path):
        new = tmp_path / "new.keras"
        model, _ = convert.import_keras2(old, new, layer_classes={"harmless": Half})
        assert isinstance(model.get_layer("harmless"), Half)
        assert float(model(np.ones((1, 4)))[0, 0]) == 0.25
        keras.saving.load_model(new, custom_objects={"Half": Half})

    def test_of_no_layer(self, old):
        with pytest.raises(ValueError, match="'harmless' of class Lambda.*--layer NAM"):
            convert.import_keras2(old, layer_classes={"other": Half})
        classes = {"harmless": Half, "other": Half}
        with pytest.raises(ValueError, match="does not have.*Received: other"):
            convert.import_keras2(old, layer_classes=classes)

    def test_command(self, old, tmp_path, monkeypatch, capsys):
        (tmp_path / "halves.py").write_text(
            "from tests.convert.test_keras2_lambdas import Half\n"
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        arguments = ["import", str(old), "--out", "new.keras", "--layer"]
        assert cli.main([*arguments, "Half"]) == 2
        assert "--layer NAME=MODULE:CLASS" in capsys.readouterr().err
        assert cli.main([*arguments, "harmless=halves:Half"]) == 0

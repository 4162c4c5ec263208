import sys

import keras
import pytest

from kerasseq.commands import custom_objects

CODE = """
import keras

@keras.saving.register_keras_serializable("mine")
class Double(keras.layers.Layer):
    def call(self, x):
        return 2 * x

class Triple(keras.layers.Layer):
    def call(self, x):
        return 3 * x
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Name of a module in the working directory, which is not on Python's path."""
    (tmp_path / "own_layers.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [x for x in sys.path if x])
    yield "own_layers"
    sys.modules.pop("own_layers", None)
    keras.saving.get_custom_objects().pop("mine>Double", None)


def test_module_gives_what_it_registers(module):
    found = custom_objects.load([module])
    assert list(found) == ["Double"] and found["Double"].__name__ == "Double"


def test_object_by_name(module):
    found = custom_objects.load([f"{module}:Triple", f"{module}:Double"])
    assert [*found] == ["Triple", "Double"]
    assert found["Triple"] is custom_objects.find("own_layers:Triple")


@pytest.mark.parametrize("entry", ["no_such_module", "own_layers:Missing", ":x", ""])
def test_bad(module, entry):
    with pytest.raises(ValueError, match="package.module:name"):
        custom_objects.load([entry])

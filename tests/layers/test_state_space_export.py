"""Files of state-space blocks: a sequence of several chunks, and one step."""

import keras
import numpy as np
import pytest

from kerasseq import export, layers

LENGTH, FEATURES, UNITS = 130, 5, 4
BLOCKS = {
    "Mamba2": lambda **options: layers.Mamba2(
        UNITS, head_dim=2, state_dim=3, num_groups=2, return_state=True, **options
    ),
    "S4D": lambda **options: layers.S4D(UNITS, return_state=True, **options),
    "S4D-bilinear": lambda **options: layers.S4D(
        UNITS, discretization="bilinear", return_state=True, **options
    ),
}


def model_of(name, length):
    """A block whose states are inputs and outputs of the model."""
    keras.utils.set_random_seed(3)
    block = BLOCKS[name](name="block")
    block.build((None, length, FEATURES))
    inputs = {"x": keras.Input((length, FEATURES), name="x")}
    for place, size in enumerate(block.state_size):
        inputs[f"state_{place}"] = keras.Input(size, name=f"state_{place}")
    x, *states = inputs.values()
    outputs = block(x, initial_state=states)
    return keras.Model(inputs, dict(zip(("y", *[*inputs][1:]), outputs, strict=True)))


def samples(model, length):
    generator = np.random.default_rng(2)
    return {
        name: generator.normal(size=(1, *x.shape[1:])).astype("float32")
        for name, x in model.input.items()
    }


@pytest.mark.parametrize("length", [1, LENGTH])
@pytest.mark.parametrize("name", BLOCKS)
def test_file_has_builtin_ops_and_computes_the_same(name, length, tmp_path):
    model = model_of(name, length)
    given = samples(model, length)

    def signatures(twin):
        specs = {key: (x.shape, x.dtype.name) for key, x in given.items()}
        return {"serve": (lambda **tensors: twin(tensors), specs)}

    report = export.export_model(
        model,
        tmp_path,
        signatures=signatures,
        samples={"serve": [given]},
        loop_strategy="while",
    )
    tflite = report["artifacts"][0]
    assert tflite["flex_ops"] == tflite["custom_ops"] == []
    assert not tflite["dynamic_shapes"]
    assert tflite["max_abs_diff"] <= 1e-4
    assert ("WHILE" in tflite["ops"]) == (length > 1)

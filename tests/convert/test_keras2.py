"""Files of Keras 2 that are imported: outputs, weights, the report, the new file."""

import collections
import io
import json
import shutil
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest

import kerasseq
from kerasseq import convert

pytestmark = pytest.mark.filterwarnings("ignore:(?s).*destroy the mask information")
ARCHITECTURES = (
    "dense conv depthwise separable lstm gru simple_rnn bidirectional stacked masked "
    "attention encoder_decoder conv_lstm nested"
).split()
OTHERS = (
    "wrapped masked_attention preprocessing stateful old_forms hard_sigmoids "
    "operations sizes image_operations identity_has_no_mask "
    "masks_that_end backwards_first lambdas"
).split()
LOAD = """
import sys
sys.modules["kerasseq"] = None
import keras, numpy as np
for new, examples in zip(sys.argv[1::2], sys.argv[2::2]):
    if "hard_sigmoids" in new:
        del sys.modules["kerasseq"]
        import kerasseq.ops
    model, arrays = keras.saving.load_model(new), np.load(examples)
    count = sum(name.startswith("input") for name in arrays)
    inputs = [arrays[f"input_{i}"] for i in range(count)]
    inputs = keras.tree.pack_sequence_as(model.input, inputs) if count > 1 else inputs
    for i, output in enumerate(keras.tree.flatten(model(inputs))):
        np.testing.assert_allclose(output, arrays[f"output_{i}"], atol=1e-6)
"""


def examples_of(path):
    with np.load(path.with_suffix(".npz")) as arrays:
        return {name: arrays[name] for name in arrays.files}


def outputs_of(model, examples):
    inputs = [examples[f"input_{i}"] for i in range(len(model.inputs))]
    if isinstance(model, keras.Sequential):
        return [np.asarray(model(inputs[0], training=False))]
    inputs = keras.tree.pack_sequence_as(model.input, inputs)
    outputs = keras.tree.flatten(model(inputs, training=False))
    return [np.asarray(output) for output in outputs]


def test_layers_of_a_gpu_alone(keras2_files):
    path = keras2_files / "on_a_gpu.h5"
    examples = examples_of(path)
    model, report = convert.import_keras2(path, examples=examples, tolerance=1e-6)
    assert report["comparison"]["max_abs_diff"] <= 1e-6
    kinds = [(row["old_class"], row["new_class"]) for row in report["layers"]]
    assert ("CuDNNGRU", "GRU") in kinds and ("CuDNNLSTM", "LSTM") in kinds
    changes = {row["name"]: row["changes"] for row in report["layers"]}
    assert "weights in the layout of LSTM" in changes[model.layers[-1].name]
    assert "both biases added" in changes[model.layers[-1].name]


@pytest.mark.parametrize("kind", ["h5", "keras"])
@pytest.mark.parametrize("name", ARCHITECTURES + OTHERS)
def test_outputs_are_those_of_keras_2(keras2_files, name, kind):
    path = keras2_files / f"{name}.{kind}"
    examples = examples_of(path)
    model, report = convert.import_keras2(path, examples=examples, tolerance=1e-6)
    outputs = outputs_of(model, examples)
    assert len(outputs) + len(model.inputs) == len(examples)
    for index, output in enumerate(outputs):
        expected = examples[f"output_{index}"]
        np.testing.assert_allclose(output, expected, rtol=0, atol=1e-6)
    assert report["comparison"]["max_abs_diff"] <= 1e-6
    assert report["format"] == kind
    assert json.loads(json.dumps(report)) == report


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_are_copied_bit_by_bit(keras2_files, name):
    path = keras2_files / f"{name}.h5"
    model, report = convert.import_keras2(path)
    stored = collections.Counter()

    def count(name, item):
        if isinstance(item, h5py.Dataset):
            stored[item[()].tobytes()] += 1

    with h5py.File(path) as file:
        file["model_weights"].visititems(count)
    assert stored == collections.Counter(w.numpy().tobytes() for w in model.weights)
    assert report["num_weights"] == stored.total()


def test_frozen_layers_stay_frozen(keras2_files):
    model, _ = convert.import_keras2(keras2_files / "nested.h5")
    inner = model.get_layer("inner")
    assert [layer.trainable for layer in inner.layers] == [True, False, True, True]
    assert len(inner.trainable_weights) == 2


def test_report(keras2_files):
    path = keras2_files / "encoder_decoder.keras"
    model, report = convert.import_keras2(path)
    rows = {row["name"]: row for row in report["layers"]}
    [bidirectional] = [r for r in rows.values() if r["old_class"] == "Bidirectional"]
    assert bidirectional["weights"] == 6
    [inner] = [n for n in rows if n.startswith(bidirectional["name"] + "/")]
    assert rows[inner]["changes"] == ["without implementation", "without time_major"]
    assert report["keras_version"].startswith("2.21")
    assert report["num_parameters"] == model.count_params()
    assert report["comparison"]["compared_with"] is None
    assert "so none were compared" in " ".join(report["notes"])
    assert "are not imported; compile it" in " ".join(report["notes"])


def test_new_files_in_a_fresh_process(keras2_files, tmp_path):
    arguments = []
    for name in ("encoder_decoder", "nested", "operations", "stacked", "hard_sigmoids"):
        examples = keras2_files / f"{name}.npz"
        new = tmp_path / f"{name}.keras"
        convert.import_keras2(examples.with_suffix(".h5"), new)
        arguments += [str(new), str(examples)]
    subprocess.run([sys.executable, "-c", LOAD, *arguments], check=True)


def test_archive_of_an_older_version(keras2_files, tmp_path):
    """There, layers with weights are counted twice, under another name."""
    old, new = keras2_files / "dense.keras", tmp_path / "older.keras"
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w") as target:
        for name in ("config.json", "metadata.json"):
            target.writestr(name, source.read(name))
        weights = io.BytesIO(source.read("model.weights.h5"))
        with h5py.File(weights, "r+") as file:
            file.move("layers", "_layer_checkpoint_dependencies")
            group = file["_layer_checkpoint_dependencies"]
            for index in (3, 2, 1):
                group.move(f"dense_{index}", f"dense_{2 * index}")
        target.writestr("model.weights.h5", weights.getvalue())
    examples = old.with_suffix(".npz")
    _, report = convert.import_keras2(new, examples=examples, tolerance=1e-6)
    assert report["comparison"]["max_abs_diff"] <= 1e-6


def test_initializers_of_older_versions(keras2_files, tmp_path):
    path = tmp_path / "older.h5"
    shutil.copy(keras2_files / "gru.h5", path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for node in config["config"]["layers"][1:]:
            for key in ("kernel", "recurrent", "bias"):
                value = node["config"][f"{key}_initializer"]
                del value["module"], value["registered_name"]
                value["config"]["dtype"] = "float32"
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = b"2.2.4-tf"
    examples = keras2_files / "gru.npz"
    model, report = convert.import_keras2(path, examples=examples, tolerance=1e-6)
    assert report["keras_version"] == "2.2.4-tf"
    initializer = model.layers[0].cell.recurrent_initializer
    assert isinstance(initializer, keras.initializers.Orthogonal)


def test_long_recurrences_are_compiled(keras2_files, tmp_path, monkeypatch):
    """Eagerly a step calls the cell; in a graph the loop calls it while it is built."""
    calls = []
    call = keras.layers.GRUCell.call

    def count(*args, **kwargs):
        calls.append(1)
        return call(*args, **kwargs)

    monkeypatch.setattr(keras.layers.GRUCell, "call", count)
    path = tmp_path / "old.h5"
    shutil.copy(keras2_files / "gru.h5", path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][0]["config"]["batch_input_shape"][1] = 300
        file.attrs["model_config"] = json.dumps(config)
    convert.import_keras2(path)
    assert len(calls) < 100


class TestHardSigmoid:
    def test_formula(self):
        x = np.array([-3, -2.5, -1, 0, 1, 2.5, 3], "float32")
        expected = [0, 0, 0.3, 0.5, 0.7, 1, 1]
        y = kerasseq.ops.keras2_hard_sigmoid(x)
        np.testing.assert_allclose(y, expected, atol=1e-6)
        assert abs(float(keras.activations.hard_sigmoid(x)[4]) - 0.7) > 0.03

    def test_report(self, keras2_files):
        _, report = convert.import_keras2(keras2_files / "hard_sigmoids.keras")
        assert report["needs_kerasseq"]
        assert "`import kerasseq.ops`" in " ".join(report["notes"])
        kept = [r for r in report["layers"] if "hard_sigmoid" in str(r["changes"])]
        classes = [row["old_class"] for row in kept]
        assert classes == ["LSTM", "GRUCell", "Dense", "Activation"]

    def test_other_models_do_not_need_it(self, keras2_files):
        _, report = convert.import_keras2(keras2_files / "lstm.h5")
        assert not report["needs_kerasseq"]


class TestProof:
    def test_by_name(self, keras2_files, tmp_path):
        path = keras2_files / "masked.h5"
        examples = examples_of(path)
        examples["words"] = examples.pop("input_0")
        examples["numbers"] = examples.pop("input_1")
        examples["output"] = examples.pop("output_0")
        np.savez(tmp_path / "by_name.npz", **examples)
        _, report = convert.import_keras2(path, examples=tmp_path / "by_name.npz")
        assert report["comparison"]["compared_with"] == "1 stored outputs"

    def test_other_outputs(self, keras2_files, tmp_path):
        path, new = keras2_files / "masked.h5", tmp_path / "new.keras"
        examples = examples_of(path)
        examples["output_0"][1, 2] += 1e-3
        with pytest.raises(ValueError, match="output 0 differs by 0.001, allowed 1e-0"):
            convert.import_keras2(path, new, examples=examples)
        assert list(tmp_path.iterdir()) == []
        _, report = convert.import_keras2(path, new, examples=examples, tolerance=1e-2)
        assert report["comparison"]["max_abs_diff"] == pytest.approx(1e-3, rel=1e-2)
        assert new.exists()

    def test_inputs_alone(self, keras2_files):
        path = keras2_files / "masked.h5"
        examples = examples_of(path)
        del examples["output_0"]
        _, report = convert.import_keras2(path, examples=examples)
        assert "ran on the given inputs" in " ".join(report["notes"])

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"input_1": None}, "2 inputs: words, numbers. Received: input_0"),
            ({"input_5": np.zeros(3)}, "2 inputs"),
            ({"x": np.zeros(3)}, "Name examples words, numbers .*Received: x"),
            ({"output_1": np.zeros(3)}, "has 1 outputs"),
            ({"input_1": np.zeros((3, 7, 5))}, "does not run on the examples"),
            ({"input_1": np.full((3, 7, 2), np.nan)}, "output 0 differs by inf"),
            (
                {"input_1": np.full((3, 7, 2), np.nan), "output_0": None},
                "NaN or infinite",
            ),
        ],
    )
    def test_errors(self, keras2_files, change, message):
        path = keras2_files / "masked.h5"
        examples = examples_of(path) | change
        examples = {k: v for k, v in examples.items() if v is not None}
        with pytest.raises(ValueError, match=message):
            convert.import_keras2(path, examples=examples)

    def test_bad_example_files(self, keras2_files, tmp_path):
        path, bad = keras2_files / "lstm.h5", tmp_path / "bad.npz"
        np.savez(bad, input_0=np.array([{"an": "object"}], dtype=object))
        for file in (bad, path, tmp_path / "missing.npz"):
            with pytest.raises(ValueError, match="cannot be read; write them with"):
                convert.import_keras2(path, examples=file)

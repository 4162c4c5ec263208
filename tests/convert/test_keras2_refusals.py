"""Files that cannot be imported, or not without the user's own classes."""

import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

from kerasseq import convert


class Scale(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:])

    def call(self, inputs):
        return inputs * self.scale


@pytest.fixture
def edited(keras2_files, tmp_path):
    """Copies a `.h5` file with another configuration, changed in place."""

    def edit(name, change):
        path = tmp_path / "edited.h5"
        shutil.copy(keras2_files / f"{name}.h5", path)
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            change(config)
            file.attrs["model_config"] = json.dumps(config)
        return path

    return edit


class TestCode:
    @pytest.mark.parametrize("kind", ["h5", "keras"])
    def test_is_never_run(self, keras2_files, tmp_path, monkeypatch, kind):
        monkeypatch.chdir(tmp_path)
        path = keras2_files / f"code.{kind}"
        assert (keras2_files / "RAN").exists()  # Keras 2 ran it
        with pytest.raises(ValueError, match="layer 'harmless' of class Lambda.*code"):
            convert.import_keras2(path, "new.keras")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("key", ["activation", "kernel_initializer"])
    def test_in_an_argument(self, edited, key):
        def hide(config):
            value = {"class_name": "__lambda__", "config": {"value": "gASV"}}
            config["config"]["layers"][1]["config"][key] = value

        with pytest.raises(ValueError, match="'dense.*/' holds code"):
            convert.import_keras2(edited("dense", hide))

    @pytest.mark.parametrize(
        "name", ["Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer"]
    )
    def test_by_the_class(self, edited, name):
        def hide(config):
            node = config["config"]["layers"][1]
            node["class_name"], node["config"] = name, {"name": "hidden"}

        with pytest.raises(ValueError, match=f"'hidden' of class {name}.*holds code"):
            convert.import_keras2(edited("dense", hide))


class TestOwnClasses:
    @pytest.mark.parametrize("kind", ["h5", "keras"])
    def test_refused_by_name(self, keras2_files, kind):
        pattern = (
            "'second' of class Scale: .* pass its class in `custom_objects`; "
            ".*'first' of class.*'sequential.*/third' of class Scale"
        )
        with pytest.raises(ValueError, match=pattern):
            convert.import_keras2(keras2_files / f"own_layer.{kind}")

    @pytest.mark.parametrize("kind", ["h5", "keras"])
    def test_given(self, keras2_files, tmp_path, kind):
        path, new = keras2_files / f"own_layer.{kind}", tmp_path / "new.keras"
        given = {"Scale": Scale}
        examples = path.with_suffix(".npz")
        model, report = convert.import_keras2(
            path, new, custom_objects=given, examples=examples, tolerance=1e-6
        )
        assert report["comparison"]["max_abs_diff"] <= 1e-6
        assert isinstance(model.get_layer("first"), Scale)
        assert "custom_objects" in " ".join(report["notes"])
        keras.saving.load_model(new, custom_objects=given)


class TestModels:
    def test_operations_without_counterpart(self, keras2_files):
        pattern = "`tf.math.lgamma` has no counterpart; .*`tf.math.cumsum` has no"
        with pytest.raises(ValueError, match=pattern):
            convert.import_keras2(keras2_files / "unknown_operation.h5")

    def test_argument_without_counterpart(self, edited):
        def change(config):
            for node in config["config"]["layers"]:
                if node["config"].get("function") == "compat.v1.gather":
                    node["inbound_nodes"][0][3]["batch_dims"] = 1

        with pytest.raises(ValueError, match="gather' cannot .*Received: batch_dims=1"):
            convert.import_keras2(edited("operations", change))

    def test_layers_shared_by_nested_models(self, keras2_files, tmp_path):
        new = tmp_path / "new.keras"
        with pytest.raises(ValueError, match="save and load .* that share a layer"):
            convert.import_keras2(keras2_files / "shared_inside.h5", new)
        with pytest.raises(ValueError, match="lacks the weight .* share; build"):
            convert.import_keras2(keras2_files / "shared_inside.keras", new)
        assert not new.exists()

    @pytest.mark.parametrize(
        "argument, message",
        [
            ({"time_major": True}, "'lstm' of class LSTM .*time_major.*=True"),
            ({"num_constants": 1}, "Received: num_constants=1"),
            ({"units": "many"}, "Layer 'lstm' of class LSTM cannot be imported"),
        ],
    )
    def test_arguments(self, edited, argument, message):
        def change(config):
            config["config"]["layers"][1]["config"] |= {"name": "lstm"} | argument

        with pytest.raises(ValueError, match=message):
            convert.import_keras2(edited("lstm", change))

    def test_input_from_nowhere(self, edited):
        def change(config):
            config["config"]["layers"][2]["inbound_nodes"][0][0][0] = "nowhere"

        with pytest.raises(ValueError, match="inputs that the file does not hold"):
            convert.import_keras2(edited("masked", change))


class TestWeights:
    def edit(self, keras2_files, tmp_path, change):
        path = tmp_path / "edited.h5"
        shutil.copy(keras2_files / "lstm.h5", path)
        with h5py.File(path, "r+") as file:
            [layer] = [n for n in file["model_weights"] if n.startswith("dense")]
            change(file["model_weights"][layer], layer)
        return path

    def test_missing(self, keras2_files, tmp_path):
        def change(group, name):
            del group.attrs["weight_names"]

        path = self.edit(keras2_files, tmp_path, change)
        with pytest.raises(ValueError, match="'dense.*' has 2 weights. Received: 0"):
            convert.import_keras2(path)

    def test_of_another_shape(self, keras2_files, tmp_path):
        def change(group, name):
            del group[f"{name}/kernel:0"]
            group[f"{name}/kernel:0"] = np.zeros((5, 3), "float32")

        path = self.edit(keras2_files, tmp_path, change)
        with pytest.raises(ValueError, match=r"is \(5, 2\). Received: .*\(5, 3\)"):
            convert.import_keras2(path)

    def test_in_another_order(self, keras2_files, tmp_path):
        def change(group, name):
            names = list(group.attrs["weight_names"])
            group.attrs["weight_names"] = names[::-1]

        path = self.edit(keras2_files, tmp_path, change)
        with pytest.raises(ValueError, match="not in the order of Keras 3"):
            convert.import_keras2(path)

    def test_in_another_file(self, keras2_files, tmp_path):
        def change(group, name):
            with h5py.File(tmp_path / "other.h5", "w") as other:
                other["secret"] = np.zeros((5, 2), "float32")
            del group[f"{name}/kernel:0"]
            group[f"{name}/kernel:0"] = h5py.ExternalLink("other.h5", "secret")

        path = self.edit(keras2_files, tmp_path, change)
        with pytest.raises(ValueError, match="may not refer to other files"):
            convert.import_keras2(path)


class TestFiles:
    @pytest.mark.parametrize(
        "content, message",
        [
            (b"", "Only model files of Keras 2"),
            (bytes(range(256)) * 8, "Only model files of Keras 2"),
            (b"\x89PNG\r\n\x1a\n" + bytes(99), "Only model files of Keras 2"),
            (b"PK\x03\x04" + bytes(99), "damaged or incomplete"),
            (b"\x89HDF\r\n\x1a\n" + bytes(99), "damaged or incomplete"),
        ],
    )
    def test_foreign(self, tmp_path, content, message):
        path = tmp_path / "old.h5"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            convert.import_keras2(path)

    @pytest.mark.parametrize("kind", ["h5", "keras"])
    def test_truncated(self, keras2_files, tmp_path, kind):
        whole = (keras2_files / f"lstm.{kind}").read_bytes()
        path = tmp_path / "old"
        for share in (0.1, 0.5, 0.9, 0.999):
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(ValueError, match="damaged or incomplete"):
                convert.import_keras2(path)

    def test_changed_byte_in_an_archive(self, keras2_files, tmp_path):
        content = bytearray((keras2_files / "lstm.keras").read_bytes())
        content[len(content) // 2] ^= 255
        path = tmp_path / "old.keras"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged or incomplete"):
            convert.import_keras2(path)

    def test_other_archive(self, tmp_path):
        path = tmp_path / "old.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
        with pytest.raises(ValueError, match="lacks metadata.json, model.weights.h5"):
            convert.import_keras2(path)

    def test_no_model(self, keras2_files, tmp_path):
        with pytest.raises(ValueError, match="There is no such file"):
            convert.import_keras2(tmp_path / "missing.h5")
        with pytest.raises(ValueError, match="A folder cannot be imported"):
            convert.import_keras2(tmp_path)
        weights = tmp_path / "weights.h5"
        with h5py.File(keras2_files / "lstm.h5") as old, h5py.File(weights, "w") as new:
            old.copy(old["model_weights"], new, "model_weights")
            new.attrs["layer_names"] = ["lstm"]
        with pytest.raises(ValueError, match="holds weights without a model.*load_we"):
            convert.import_keras2(weights)

    @pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
    @pytest.mark.parametrize("kind", ["h5", "keras"])
    def test_of_keras_3(self, tmp_path, kind):
        path = tmp_path / f"new.{kind}"
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
        with pytest.raises(ValueError, match="needs no import; load it with"):
            convert.import_keras2(path)

    def test_bad_output(self, keras2_files):
        old = keras2_files / "lstm.keras"
        with pytest.raises(ValueError, match="named `.keras`"):
            convert.import_keras2(old, "new.h5")
        with pytest.raises(ValueError, match="needs another name"):
            convert.import_keras2(old, old)

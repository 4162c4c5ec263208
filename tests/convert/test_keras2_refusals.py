"""Files that cannot be imported, or not without the user's own classes."""

import json
import shutil

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

    def test_inside_a_class_of_the_user(self, edited):
        def hide(config):
            inner = {"class_name": "Lambda", "config": {"name": "hidden"}}
            config["config"]["layers"][1]["config"]["inner"] = inner

        with pytest.raises(ValueError, match="second/hidden' of class Lambda"):
            convert.import_keras2(
                edited("own_layer", hide), custom_objects={"Scale": Scale}
            )

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
            "layer 'second', layer 'first', layer 'sequential.*/third' of class Scale: "
            r"Keras 3 has no such layer; .* \(--custom MODULE:Scale\).$"
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
        pattern = "`tf.math.lgamma` has no counterpart; .*`tf.math.digamma` has no"
        with pytest.raises(ValueError, match=pattern):
            convert.import_keras2(keras2_files / "unknown_operation.h5")

    def test_masks_that_keras_3_does_not_make(self, keras2_files):
        with pytest.raises(ValueError, match="'lstm.*needs a mask that went through"):
            convert.import_keras2(keras2_files / "merged_masks.h5")

    def test_inputs_that_are_not_in_the_file(self, keras2_files):
        with pytest.raises(
            ValueError, match="does not write the inputs of `tf.einsum`"
        ):
            convert.import_keras2(keras2_files / "einsum.h5")

    def test_size_of_an_open_axis(self, edited):
        def change(config):
            nodes = {node["name"]: node for node in config["config"]["layers"]}
            tile = next(nodes[name] for name in nodes if "tile" in name)
            reshape = next(nodes[name] for name in nodes if "tf.reshape" in name)
            size = reshape["inbound_nodes"][0][3]["shape"][0]
            tile["inbound_nodes"][0][3]["multiples"][1] = size

        with pytest.raises(
            ValueError, match="tile` needs the size of an axis that is op"
        ):
            convert.import_keras2(edited("sizes", change))

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
        with pytest.raises(
            ValueError, match="1 layers of class Func.*nested models share"
        ):
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

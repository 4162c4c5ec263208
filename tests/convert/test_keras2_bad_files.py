"""Files that hold no model of Keras 2, or not the whole of it."""

import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

from kerasseq import convert


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
def test_foreign(tmp_path, content, message):
    path = tmp_path / "old.h5"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        convert.import_keras2(path)


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_truncated(keras2_files, tmp_path, kind):
    whole = (keras2_files / f"lstm.{kind}").read_bytes()
    path = tmp_path / "old"
    for share in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ValueError, match="damaged or incomplete"):
            convert.import_keras2(path)


def test_changed_byte_in_an_archive(keras2_files, tmp_path):
    content = bytearray((keras2_files / "lstm.keras").read_bytes())
    content[len(content) // 2] ^= 255
    path = tmp_path / "old.keras"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged or incomplete"):
        convert.import_keras2(path)


def test_other_archive(tmp_path):
    path = tmp_path / "old.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="lacks metadata.json, model.weights.h5"):
        convert.import_keras2(path)


def test_no_model(keras2_files, tmp_path):
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


def test_of_keras_3(tmp_path):
    path = tmp_path / "new.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(ValueError, match="needs no import; load it with"):
        convert.import_keras2(path)


class TestSize:
    """What would fill the memory is refused before it does."""

    def test_archive(self, tmp_path):
        path = tmp_path / "old.keras"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", "{}")
            archive.writestr("metadata.json", "{}")
            archive.writestr("model.weights.h5", bytes(2**25))
        with pytest.raises(ValueError, match="'model.weights.h5'.*fill 33,554,432"):
            convert.import_keras2(path)

    def test_examples(self, keras2_files, tmp_path):
        np.savez_compressed(tmp_path / "a.npz", input_0=np.zeros(2**24))
        with pytest.raises(ValueError, match="'input_0.npy' .*without compression"):
            convert.import_keras2(keras2_files / "lstm.h5", examples=tmp_path / "a.npz")

    def test_arrays(self, keras2_files, tmp_path):
        path = tmp_path / "old.h5"
        shutil.copy(keras2_files / "masked.h5", path)
        with h5py.File(path, "r+") as file:
            group = file["model_weights"]
            [name] = [name for name in group if name.startswith("embedding")]
            group, table = group[name], group[name].attrs["weight_names"][0]
            del group[table]
            group.create_dataset(table, (2**24, 4), "float32", chunks=(2**16, 4))
            config = json.loads(file.attrs["model_config"])
            for node in config["config"]["layers"]:
                if node["class_name"] == "Embedding":
                    node["config"]["input_dim"] = 2**24
            file.attrs["model_config"] = json.dumps(config)
        with pytest.raises(ValueError, match="bytes of the file would fill 268,4"):
            convert.import_keras2(path)

    def test_depth(self, tmp_path):
        with h5py.File(tmp_path / "old.h5", "w") as file:
            deep = '{"config": {"a": ' + "[" * 400 + "]" * 400 + "}}"
            file.attrs["model_config"] = deep
            file.create_group("model_weights")
        with pytest.raises(ValueError, match="nested too deeply"):
            convert.import_keras2(tmp_path / "old.h5")

    def test_what_the_model_computes(self, keras2_files, tmp_path):
        path = tmp_path / "old.h5"
        shutil.copy(keras2_files / "lstm.h5", path)
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            shape = config["config"]["layers"][0]["config"]["batch_input_shape"]
            shape[1] = 10**9
            config["config"]["layers"][1]["config"]["unroll"] = False
            file.attrs["model_config"] = json.dumps(config)
        with pytest.raises(ValueError, match=r"--example.*\(None, 1000000000, 4\)"):
            convert.import_keras2(path, tmp_path / "new.keras")
        assert [file.name for file in tmp_path.iterdir()] == ["old.h5"]


def test_bad_output(keras2_files):
    old = keras2_files / "lstm.keras"
    with pytest.raises(ValueError, match="named `.keras`"):
        convert.import_keras2(old, "new.h5")
    with pytest.raises(ValueError, match="needs another name"):
        convert.import_keras2(old, old)

"""Files that hold no model of Keras 2, or not the whole of it."""

import zipfile

import h5py
import keras
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


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_of_keras_3(tmp_path, kind):
    path = tmp_path / f"new.{kind}"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(ValueError, match="needs no import; load it with"):
        convert.import_keras2(path)


def test_bad_output(keras2_files):
    old = keras2_files / "lstm.keras"
    with pytest.raises(ValueError, match="named `.keras`"):
        convert.import_keras2(old, "new.h5")
    with pytest.raises(ValueError, match="needs another name"):
        convert.import_keras2(old, old)

"""What a file means depends on the Keras and the backend that wrote it."""

import json
import shutil

import h5py
import keras
import numpy as np
import pytest
from scipy import signal

from kerasseq import convert
from kerasseq.convert.keras2 import defaults, other_backends

layers = keras.layers


@pytest.fixture
def written_by(keras2_files, tmp_path):
    """Copies a `.h5` file as another Keras 2 wrote it."""

    def copy(name, version, backend="tensorflow", without=(), change=None):
        path = tmp_path / f"{name}.h5"
        shutil.copy(keras2_files / path.name, path)
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            for node in config["config"]["layers"]:
                for key in without:
                    node["config"].pop(key, None)
                if change:
                    change(node)
            file.attrs["model_config"] = json.dumps(config)
            for group in (file, file["model_weights"]):
                group.attrs["keras_version"] = version
                group.attrs["backend"] = backend
        return path

    return copy


def differences(old, new):
    """The weights of two models that differ."""
    pairs = zip(old.weights, new.weights, strict=True)
    return [(a, b.numpy()) for a, b in pairs if (a.numpy() != b.numpy()).any()]


class TestBackends:
    def test_kernels_that_theano_turned(self, written_by):
        plain, _ = convert.import_keras2(written_by("convolutions", "2.3.1"))
        path = written_by("convolutions", "2.2.4", "theano")
        model, report = convert.import_keras2(path)
        assert "Kernels that Theano turns around" in " ".join(report["notes"])
        kinds = set()
        for old, new in differences(plain, model):
            expected = np.flip(old.numpy(), tuple(range(new.ndim - 2)))
            np.testing.assert_array_equal(new, expected)
            kinds.add(old.path.split("/")[-2].rstrip("_0123456789"))
        names = "conv3d conv_lstm_cell conv2d conv2d_transpose conv1d"
        assert kinds == set(names.split())
        path = written_by("convolutions", "2.2.4", "cntk")
        assert differences(plain, convert.import_keras2(path)[0]) == []

    @pytest.mark.parametrize(
        "layer, function, mode",
        [
            (layers.Conv2D(1, (5, 1), use_bias=False), signal.convolve, "valid"),
            (
                layers.Conv2DTranspose(1, (5, 1), use_bias=False),
                signal.correlate,
                "full",
            ),
        ],
    )
    def test_numbers(self, layer, function, mode):
        """SciPy's `convolve` turns the kernel around as Theano does."""
        x, kernel = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
        layer.build((1, 5, 1, 1))
        layer.kernel.assign(other_backends.turned(kernel.reshape(5, 1, 1, 1)))
        y = np.ravel(layer(x.reshape(1, 5, 1, 1)))
        np.testing.assert_allclose(y, function(x, kernel, mode), atol=1e-5)

    @pytest.mark.parametrize("backend", ["theano", "cntk", "mxnet"])
    def test_padding_that_may_differ(self, written_by, keras2_files, backend):
        path = written_by("depthwise", "2.2.4", backend)
        message = f"trained on {backend}.*--example.*'average_pooling2d"
        with pytest.raises(ValueError, match=message):
            convert.import_keras2(path)
        if backend == "cntk":  # which convolves as TensorFlow
            convert.import_keras2(path, examples=keras2_files / "depthwise.npz")


class TestMissingArguments:
    def test_gru_before_there_were_two(self, written_by, keras2_files):
        def forget(node):
            if node["config"].get("reset_after") is False:
                del node["config"]["reset_after"]

        path = written_by("gru", "2.1.4", change=forget)
        examples = keras2_files / "gru.npz"
        model, report = convert.import_keras2(path, examples=examples, tolerance=1e-6)
        assert [layer.reset_after for layer in model.layers] == [True, False]
        assert "reset_after=False" in report["layers"][-1]["changes"]

    def test_of_conv_lstm(self, written_by):
        keys = ("recurrent_activation", "data_format")
        model, _ = convert.import_keras2(
            written_by("convolutions", "2.2.4", without=keys)
        )
        [cell] = [x for x in model._flatten_layers() if hasattr(x, "recurrent_kernel")]
        assert cell.recurrent_activation.__name__ == "keras2_hard_sigmoid"

    @pytest.mark.parametrize(
        "version, expected", [("2.2.4", "hard_sigmoid"), ("2.2.4-tf", None)]
    )
    def test_by_version(self, version, expected):
        found = defaults.missing({"class_name": "LSTM", "config": {}}, version)
        assert found.get("recurrent_activation") == expected

    def test_order_of_states(self):
        cell = {"class_name": "StackedRNNCells", "config": {"cells": []}}
        config = {"cell": cell, "return_state": True}
        node = {"class_name": "RNN", "config": config}
        assert defaults.missing(node, "2.2.3") == {"data_format": "channels_last"}
        with pytest.raises(ValueError, match="reverse order.*Received: 2.2.2"):
            defaults.missing(node, "2.2.2")


@pytest.mark.parametrize("version", ["1.2.2", None])
def test_keras_1(tmp_path, version):
    path = tmp_path / "old.h5"
    layer = {"class_name": "Dense", "config": {"init": "uniform", "output_dim": 4}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": [layer]}
        )
        if version:
            file.attrs["keras_version"] = version
        file.create_group("model_weights")
    with pytest.raises(ValueError, match="written by Keras 1 .*Keras 2.0 to 2.3"):
        convert.import_keras2(path)

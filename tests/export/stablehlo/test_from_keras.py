"""LiteRT's converter for models on TensorFlow, traced by a process on JAX."""

import functools

import keras
import pytest

from kerasseq import cli, decoding, export, layers, models

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the tracing elsewhere"
)


@keras.saving.register_keras_serializable("test")
class OfTensorFlow(keras.layers.Layer):
    def call(self, x):
        import tensorflow as tf

        return tf.nn.elu(x)


@pytest.mark.slow
def test_a_translator(tmp_path):
    keras.utils.set_random_seed(0)
    model = models.seq2seq(20, embedding_dim=8, units=8)
    signatures = functools.partial(
        decoding.translation_signatures, source_length=5, max_length=4
    )
    report = export.export_model(
        model, tmp_path, signatures=signatures, converter="litert"
    )
    entry, saved_model = report["artifacts"]
    assert entry["signatures"] == ["encode", "step", "greedy", "beam"]
    assert entry["flex_ops"] == entry["custom_ops"] == []
    assert entry["max_abs_diff"] < 1e-4 and saved_model["file"] == "saved_model"
    assert entry["parity"]["beam"]["token_agreement"] == 1.0
    assert report["warnings"] == []


def test_a_class_and_an_lstm_in_one_op(tmp_path):
    model = keras.Sequential([keras.Input((6, 4)), layers.LSTM(8)])
    options = {"converter": "litert", "loop_strategy": "fused"}
    report = export.export_model(model, tmp_path, quantize=["float16"], **options)
    for entry in report["artifacts"][:2]:
        assert entry["ops"]["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 1


def test_what_does_not_run_on_jax(tmp_path):
    model = keras.Sequential([keras.Input((6,)), OfTensorFlow()])
    with pytest.raises(ValueError, match=r'export it with `converter="tensorflow"`'):
        export.export_model(model, tmp_path, converter="litert")
    assert not [*tmp_path.iterdir()]


def test_arguments(tmp_path, capsys):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"a function of a module.*lambda"):
        export.export_model(
            model,
            tmp_path,
            converter="litert",
            signatures=lambda twin: {
                "f": (lambda x: {"y": twin(x)}, {"x": ((1, 6), "float32")})
            },
        )
    with pytest.raises(ValueError, match=r'add `converter="litert"`.*int4'):
        export.export_model(model, tmp_path, quantize=["int4"])
    model.save(tmp_path / "m.keras")
    command = ["export", f"{tmp_path}/m.keras", "--out", f"{tmp_path}/out"]
    assert cli.main([*command, "--converter", "onnx"]) == 2
    assert "must be one of ('auto', 'tensorflow'," in capsys.readouterr().err

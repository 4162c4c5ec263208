import keras
import numpy as np
import pytest

from kerasseq import models

TOKENS = np.array([[5, 6, 7, 8, 0], [9, 4, 0, 0, 0], [2, 3, 4, 5, 6]], "int32")
POOLINGS = ("last", "mean", "max", "attention")
ARCHS = ("gru", "bilstm", "cnn", "mlp", "transformer")


def build(**options):
    sizes = {"embedding_dim": 6, "units": 8}
    return models.text_classifier(20, 3, **sizes | options)


def features(model):
    """What goes into the last layer."""
    inner = keras.Model(model.input, model.get_layer("logits").input)
    return np.asarray(inner(TOKENS))


class TestBasics:
    def test_shapes(self):
        assert build()(TOKENS).shape == (3, 3)
        assert features(build(arch="bilstm")).shape == (3, 16)
        assert features(build(arch="gru")).shape == (3, 8)

    def test_the_layers_that_others_look_for(self):
        model = build(arch="gru", pooling="attention")
        assert model.get_layer("embedding").input_dim == 20
        assert model.get_layer("encoder").return_state
        assert model.get_layer("attention_weights").output.shape[1:] == (None,)

    def test_encoder_kinds(self):
        kinds = models.encoder_kinds()
        assert {*ARCHS, "lstm", "simple_rnn", "bigru"} <= {*kinds}
        for arch in kinds:
            assert build(arch=arch)(TOKENS).shape == (3, 3)

    def test_dropout_only_in_training(self):
        model = build(dropout=0.5)
        np.testing.assert_array_equal(model(TOKENS), model(TOKENS))
        trained = [np.asarray(model(TOKENS, training=True)) for _ in range(2)]
        assert not np.array_equal(*trained)


class TestNumbers:
    @pytest.mark.parametrize("pooling", POOLINGS)
    @pytest.mark.parametrize("arch", ARCHS)
    def test_padding_changes_nothing(self, arch, pooling):
        model = build(arch=arch, pooling=pooling, num_layers=2)
        logits = np.asarray(model(TOKENS))
        longer = np.asarray(model(np.pad(TOKENS, [(0, 0), (0, 4)])))
        np.testing.assert_allclose(longer, logits, atol=1e-5)
        alone = np.asarray(model(TOKENS[1:2, :2]))
        np.testing.assert_allclose(alone[0], logits[1], atol=1e-5)

    def test_last_is_the_final_state(self):
        model = build(arch="bigru", pooling="last")
        encoder = model.get_layer("encoder")
        embedded = model.get_layer("embedding")(TOKENS)
        _, forward, backward = encoder(embedded, mask=TOKENS != 0)
        expected = np.concatenate([forward, backward], axis=-1)
        np.testing.assert_allclose(features(model), expected, atol=1e-6)

    def test_attention_weights_are_a_mean(self):
        model = build(arch="mlp", pooling="attention")
        weights = model.get_layer("attention_weights").output
        weights = np.asarray(keras.Model(model.input, weights)(TOKENS))
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
        assert np.all(weights[TOKENS == 0] == 0)
        assert np.all(weights[TOKENS != 0] > 0)

    def test_order_counts_for_an_encoder_that_sees_it(self):
        turned = TOKENS[2:, ::-1]
        for arch, sees in (("mlp", False), ("gru", True), ("cnn", True)):
            model = build(arch=arch, pooling="mean")
            same = np.allclose(model(turned), model(TOKENS[2:]), atol=1e-6)
            assert same is not sees, arch


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"pooling": "first"}, "last, mean, max, attention.*pooling='first'"),
            ({"arch": "rnn"}, "arch='rnn'"),
            ({"embedding_dim": 0}, "positive.*embedding_dim=0"),
            ({"units": 0}, "units=0"),
            ({"arch": "transformer", "units": 6}, "divide"),
        ],
    )
    def test_bad_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            build(**options)

    def test_no_classes(self):
        with pytest.raises(ValueError, match="num_classes=0"):
            models.text_classifier(20, 0)

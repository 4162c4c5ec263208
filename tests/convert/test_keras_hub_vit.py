import json

import keras
import keras_nlp
import numpy as np
import pytest

from kerasseq import convert

X = np.random.default_rng(0).normal(size=(2, 8, 12, 3)).astype("float32")


def backbone(**options):
    """Random weights everywhere: KerasHub's biases begin at 0 or close to it."""
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 12}
    options = {"patch_size": 4} | sizes | options
    model = keras_nlp.models.ViTBackbone((8, 12, 3), **options)
    randomize(model)
    return model


def randomize(model):
    generator = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(generator.normal(0, 0.3, weight.shape))


def classifier(activation=None, backbone_options=None, **options):
    inner = backbone(**(backbone_options or {}))
    model = keras_nlp.models.ViTImageClassifier(
        inner, num_classes=3, activation=activation, **options
    )
    randomize(model)
    return model


def same(model, source):
    np.testing.assert_allclose(model(X), source(X), atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_class_token": False},
        {"use_mha_bias": False},
        {"use_mlp_bias": False, "use_patch_bias": False},
        {"layer_norm_epsilon": 1e-2},
    ],
)
def test_backbone(options):
    source = backbone(**options)
    model = convert.from_keras_hub_vit(source)
    assert model.output_shape == source.output_shape
    same(model, source)


def test_classifier_of_the_token():
    same(convert.from_keras_hub_vit(classifier()), classifier())


def test_classifier_of_the_mean_without_a_token():
    source = classifier(
        pooling="gap", backbone_options={"use_class_token": False, "patch_size": 2}
    )
    same(convert.from_keras_hub_vit(source), source)


def test_probabilities_become_logits():
    source = classifier("softmax")
    logits = convert.from_keras_hub_vit(source)(X)
    np.testing.assert_allclose(keras.ops.softmax(logits), source(X), atol=1e-6)


def test_dropout_is_kept_but_before_the_head():
    options = {"dropout_rate": 0.25, "attention_dropout": 0.5}
    with pytest.warns(UserWarning, match="no dropout right before.*dropout=0.125"):
        model = convert.from_keras_hub_vit(
            classifier(dropout=0.125, backbone_options=options)
        )
    layers = [x for x in model.layers if isinstance(x, keras.layers.Dropout)]
    assert {x.rate for x in layers} == {0.25}
    assert model.get_layer("block_1_attention").dropout == 0.5


def test_rescaling():
    source = backbone()
    model = convert.from_keras_hub_vit(source, include_rescaling=True)
    np.testing.assert_allclose(model((X + 1) * 127.5), source(X), atol=1e-4)


def test_file_keeps_what_the_model_is(tmp_path):
    source = backbone(layer_norm_epsilon=1e-2)
    convert.from_keras_hub_vit(source).save(tmp_path / "vit.keras")
    same(keras.saving.load_model(tmp_path / "vit.keras"), source)


@pytest.mark.parametrize("build", [backbone, classifier])
def test_preset_folder(build, tmp_path):
    source = build()
    source.save_to_preset(str(tmp_path))
    same(convert.from_keras_hub_vit(tmp_path), source)
    same(convert.from_keras_hub_vit(str(tmp_path)), source)


class TestErrors:
    def test_no_preset(self, tmp_path):
        for path in (tmp_path, tmp_path / "none", "vit_base_patch16_224_imagenet"):
            with pytest.raises(ValueError, match="save_to_preset.*Received: source="):
                convert.from_keras_hub_vit(path)

    def test_another_architecture(self, tmp_path):
        (tmp_path / "config.json").write_text(json.dumps({"class_name": "Bert"}))
        with pytest.raises(ValueError, match="Vision Transformer.*holds a Bert"):
            convert.from_keras_hub_vit(tmp_path)
        tokens = keras.Input((5, 4))
        model = keras.Model(tokens, keras.layers.Dense(4)(tokens))
        with pytest.raises(ValueError, match="ViTImageClassifier.*class Functional"):
            convert.from_keras_hub_vit(model)
        model = keras_nlp.models.ViTImageClassifier(model, num_classes=2)
        with pytest.raises(ValueError, match="a backbone of class Functional"):
            convert.from_keras_hub_vit(model)

    @pytest.mark.parametrize(
        "build, message",
        [
            (lambda: backbone(patch_size=(4, 2)), r"patch_size=\(4, 2\), not square"),
            (lambda: classifier(intermediate_dim=5), "intermediate_dim=5"),
            (lambda: classifier(pooling="gap"), "'gap' with use_class_token=True"),
            (
                lambda: classifier(backbone_options={"use_class_token": False}),
                "'token' with use_class_token=False",
            ),
        ],
    )
    def test_options_that_are_not_there(self, build, message):
        with pytest.raises(ValueError, match=f"takes square patches.*{message}"):
            convert.from_keras_hub_vit(build())

    def test_channels_first(self):
        source = backbone()
        source.data_format = "channels_first"  # a CPU cannot build one
        with pytest.raises(ValueError, match="data_format='channels_first'"):
            convert.from_keras_hub_vit(source)

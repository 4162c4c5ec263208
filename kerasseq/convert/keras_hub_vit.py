"""A Vision Transformer of KerasHub becomes `kerasseq.models.vit`."""

import json
import os
import pathlib
import warnings

import keras
from keras import ops

from kerasseq import models

_CLASSES = ("ViTBackbone", "ViTImageClassifier")


def from_keras_hub_vit(
    source: str | os.PathLike | keras.Model, *, include_rescaling: bool = False
) -> keras.Model:
    """Turns a Vision Transformer of KerasHub into one of kerasseq.

    Sizes, dropout and weights are kept, and with them the outputs. A backbone becomes
    the encoder without a head. A classifier becomes one that returns logits, without
    the activation of the original; a dropout right before its head is left out, with
    a warning. Where the original has no biases there are biases of zero. Trained
    weights load into a model for another resolution, see `kerasseq.models.vit`.

    Args:
        source: A `keras_nlp.models.ViTBackbone` or `ViTImageClassifier` (of
            `keras_hub` as well), or the path of a folder that its `save_to_preset`
            wrote. Nothing is downloaded.
        include_rescaling: Whether the new model takes values from 0 to 255 and scales
            them to -1 to 1 itself, as the preprocessor of the published weights does.
            Otherwise it takes what `source` takes.

    Returns:
        A new model, built by `kerasseq.models.vit`.

    Raises:
        ValueError: If there is no such folder, for another architecture, or for an
            option of KerasHub's that `kerasseq.models.vit` does not have.

    Example:

    ```python
    backbone.save_to_preset("vit_preset")  # a `keras_nlp.models.ViTBackbone`
    model = kerasseq.convert.from_keras_hub_vit("vit_preset")
    model.save("vit.keras")
    ```
    """
    if isinstance(source, (str, os.PathLike)):
        source = _load_preset(pathlib.Path(source))
    backbone, head = _parts(source)
    _check(backbone, head)
    model = models.vit(
        tuple(backbone.image_shape),
        None if head is None else head.num_classes,
        patch_size=backbone.patch_size[0],
        hidden_dim=backbone.hidden_dim,
        num_layers=backbone.num_layers,
        num_heads=backbone.num_heads,
        mlp_dim=backbone.mlp_dim,
        pooling="token" if backbone.use_class_token else "mean",
        dropout=backbone.dropout_rate,
        attention_dropout=backbone.attention_dropout,
        include_rescaling=include_rescaling,
    )
    for layer in model.layers:
        if isinstance(layer, keras.layers.LayerNormalization):
            layer.epsilon = backbone.layer_norm_epsilon
    _copy_embedding(backbone.get_layer("vit_patching_and_embedding"), model)
    _copy_encoder(backbone.get_layer("vit_encoder"), model)
    if head is not None:
        _copy(head.output_dense, model.get_layer("logits"))
    return model


def _load_preset(folder):
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(
            "The folder of a preset must hold a `config.json`; write one with "
            f"`backbone.save_to_preset(folder)`. Received: source={str(folder)!r}"
        )
    kind = json.loads(path.read_text()).get("class_name")
    if kind != "ViTBackbone":
        raise ValueError(
            "Only a Vision Transformer can be converted, a `ViTBackbone`. Received: "
            f"source={str(folder)!r}, which holds a {kind}"
        )
    import keras_nlp

    is_classifier = (folder / "task.json").is_file()
    names = keras_nlp.models
    kind = names.ViTImageClassifier if is_classifier else names.ViTBackbone
    return kind.from_preset(str(folder))


def _parts(source):
    """The backbone and, of a classifier, the classifier."""
    import keras_nlp

    is_classifier = isinstance(source, keras_nlp.models.ViTImageClassifier)
    backbone = source.backbone if is_classifier else source
    if not isinstance(backbone, keras_nlp.models.ViTBackbone):
        raise ValueError(
            f"Only these can be converted: {', '.join(_CLASSES)}, or the folder of "
            f"a preset of one. Received: source={source!r}, with a backbone of class "
            f"{type(backbone).__name__}"
        )
    return backbone, source if is_classifier else None


def _check(backbone, head):
    found = []
    if backbone.data_format != "channels_last":
        found.append(f"data_format={backbone.data_format!r}")
    if len(set(backbone.patch_size)) > 1:
        found.append(f"patch_size={tuple(backbone.patch_size)}, not square")
    if head is not None:
        pooling = "token" if backbone.use_class_token else "gap"
        if head.pooling != pooling:
            found.append(
                f"pooling={head.pooling!r} with "
                f"use_class_token={backbone.use_class_token}"
            )
        if head.intermediate_dim is not None:
            found.append(f"intermediate_dim={head.intermediate_dim}")
    if found:
        raise ValueError(
            "`kerasseq.models.vit` takes square patches, channels last, and has one "
            "linear layer on the class token, or on the mean of all patches where "
            f"there is none. Received: {', '.join(found)}"
        )
    if head is not None and head.dropout:
        warnings.warn(
            "`kerasseq.models.vit` has no dropout right before its head; the "
            f"classifier's is left out: dropout={head.dropout}.",
            stacklevel=3,
        )


def _copy_embedding(embedding, model):
    _copy(embedding.patch_embedding, model.get_layer("patches"))
    table = ops.convert_to_numpy(embedding.position_embedding.embeddings)
    positions = model.get_layer("positions")
    if embedding.use_class_token:
        model.get_layer("class_token").token.assign(embedding.class_token)
        positions.prefix.assign(table[:1])
        table = table[1:]
    positions.grid.assign(table.reshape(positions.grid.shape))


def _copy_encoder(encoder, model):
    for index, block in enumerate(encoder.encoder_layers):
        parts = {
            "norm_1": block.layer_norm_1,
            "attention": block.mha,
            "norm_2": block.layer_norm_2,
            "mlp_1": block.mlp.dense_1,
            "mlp_2": block.mlp.dense_2,
        }
        for name, part in parts.items():
            _copy(part, model.get_layer(f"block_{index + 1}_{name}"))
    _copy(encoder.layer_norm, model.get_layer("norm"))


def _copy(source, layer):
    """Copies weights by their names; a bias that `source` lacks is zero."""
    values = {_name(weight, source): weight for weight in source.weights}
    for weight in layer.weights:
        value = values.pop(_name(weight, layer), None)
        weight.assign(ops.zeros(weight.shape) if value is None else value)


def _name(weight, layer):
    return weight.path.rsplit(f"{layer.name}/", 1)[-1]

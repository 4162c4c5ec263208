"""A trained model of whole sequences as a step model: one item at a time."""

import keras

from kerasseq import layers
from kerasseq.models import _forecast_bodies


def streaming_model(model):
    """A model that reads one item after the other, with the weights of a trained one.

    What the whole sequence up to an item gives, it gives when that item comes: the
    states of the encoder go in and come out. `kerasseq.decoding.step_signature` exports
    it.

    Args:
        model: A model with an encoder that reads forward and carries its states, of a
            recurrent cell or a block as `"mamba"`:
            `kerasseq.models.tagger` without CRF, `text_classifier` with
            `pooling="last"`, or `forecaster` without `instance_normalization`.

    Returns:
        A functional `keras.Model`, a step model as in `kerasseq.models.state_names`.
        Inputs: a dict of those of `model`, for one item (of length 1), and the states
        `state_0`, `state_1`, ...; a `calendar` is that of the item and of the horizon
        after it. Outputs: a dict of `outputs`, those of `model` after this item, and
        the states.

    Raises:
        ValueError: If the model needs the whole sequence: its encoder is no recurrent
            one or reads both ways, or what follows it looks at several items.

    Example:
        >>> model = kerasseq.models.tagger(5000, 17, arch="gru")
        >>> step_model = kerasseq.models.streaming_model(model)
        >>> kerasseq.models.state_names(step_model)
        ['state_0']
    """
    if not is_streamable(model):
        names = [layer.name for layer in model.layers]
        raise ValueError(
            "Only a model whose encoder is recurrent and reads forward, such as "
            "arch='lstm', 'gru' or 'mamba', goes item by item, and one that looks at "
            "the last item alone: a tagger without CRF, a text classifier with "
            "pooling='last', a forecaster without instance_normalization. "
            f"Received: model {model.name!r} with the layers {names}"
        )
    encoder = model.get_layer("encoder")
    items = {
        name: keras.Input(_item_shape(model, name, x), dtype=x.dtype, name=name)
        for name, x in _named_inputs(model).items()
    }
    states = {
        f"state_{index}": keras.Input(size, name=f"state_{index}")
        for index, size in enumerate(encoder.state_size)
    }
    x = _features(model, items)
    if any(layer.name == "projection" for layer in model.layers):
        x = model.get_layer("projection")(x)
    x, *final = encoder(x, initial_state=list(states.values()))
    outputs = {"outputs": _head(model, x, final, items)}
    outputs |= dict(zip(states, final, strict=True))
    return keras.Model(items | states, outputs, name=f"{model.name}_step")


def is_streamable(model):
    """Whether `streaming_model` takes a model."""
    kinds = {layer.name: layer for layer in model.layers}
    encoder = kinds.get("encoder")
    goes_on = isinstance(encoder, (layers.StackedRNN, layers.ResidualStack))
    if not goes_on or getattr(encoder, "bidirectional", False):
        return False
    if any(isinstance(layer, layers.CRF) for layer in model.layers):
        return False
    if _is_forecaster(model):
        return "centered" not in kinds  # by what the whole history tells
    per_item = len(model.output_shape) == len(encoder.output[0].shape)
    return per_item or "last" in kinds


def _named_inputs(model):
    return model.input if isinstance(model.input, dict) else {"tokens": model.input}


def _is_forecaster(model):
    return "history" in _named_inputs(model)


def _item_shape(model, name, x):
    # A calendar goes on through the horizon.
    length = 1 + model.output_shape[1] if name == "calendar" else 1
    return length, *x.shape[2:]


# By the layers, since a model of tensors inside another one's graph would break that
# one's configuration (Keras 3.15).
def _features(model, items):
    if _is_forecaster(model):
        history, calendar = items["history"], items.get("calendar")
        return _forecast_bodies.with_calendar(history, calendar)
    if isinstance(model.input, dict):
        return model.get_layer("features")(items)
    return model.get_layer("embedding")(items["tokens"])


def _head(model, x, states, items):
    if _is_forecaster(model):
        calendar = items.get("calendar")
        return _forecast_bodies.after_the_last_step(model, x, states, calendar)
    if len(model.output_shape) == 3:
        return model.get_layer("head")(x)
    return model.get_layer("logits")(keras.ops.squeeze(x, 1))

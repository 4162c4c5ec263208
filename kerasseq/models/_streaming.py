"""A trained model of whole sequences as a step model: one item at a time."""

import keras

from kerasseq import layers


def streaming_model(model):
    """A model that reads one item after the other, with the weights of a trained one.

    What the whole sequence gives position by position, it gives step by step: the
    states of the encoder go in and come out. `kerasseq.decoding.step_signature`
    exports it.

    Args:
        model: A model of `kerasseq.models.tagger` whose encoder reads forward, or one
            of the same parts: a model `features`, a layer `encoder` with the state
            protocol and a layer `head`.

    Returns:
        A functional `keras.Model`, a step model as in `kerasseq.models.state_names`.
        Inputs: a dict of those of `model`, with any number of items, and the states
        `state_0`, `state_1`, ... Outputs: a dict of `outputs`, those of `model`, and
        the states after the last item.

    Raises:
        ValueError: If the model needs the whole sequence: its encoder is no recurrent
            one or reads both ways, or its head is a CRF.

    Example:
        >>> model = kerasseq.models.tagger(5000, 17, arch="gru")
        >>> step_model = kerasseq.models.streaming_model(model)
        >>> kerasseq.models.state_names(step_model)
        ['state_0']
    """
    names = [layer.name for layer in model.layers]
    encoder = model.get_layer("encoder") if "encoder" in names else None
    both_ways = getattr(encoder, "bidirectional", True)
    if both_ways or isinstance(model.get_layer("head"), layers.CRF):
        raise ValueError(
            "Only a model whose encoder is recurrent and reads forward, such as "
            "arch='lstm' or 'gru', and whose head is no CRF goes item by item. "
            f"Received: model {model.name!r} with the layers {names}"
        )
    inputs = {
        name: keras.Input(x.shape[1:], dtype=x.dtype, name=name)
        for name, x in model.input.items()
    }
    states = {
        f"state_{index}": keras.Input(size, name=f"state_{index}")
        for index, size in enumerate(encoder.state_size)
    }
    x = model.get_layer("features")(inputs)
    x, *final = encoder(x, initial_state=list(states.values()))
    outputs = {"outputs": model.get_layer("head")(x)}
    outputs |= dict(zip(states, final, strict=True))
    return keras.Model(inputs | states, outputs, name=f"{model.name}_step")


def is_streamable(model):
    """Whether `streaming_model` takes a model."""
    try:
        streaming_model(model)
    except ValueError:
        return False
    return True

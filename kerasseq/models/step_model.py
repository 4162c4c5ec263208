"""What makes a model a step model: states that come in and go out by name."""


def state_names(model):
    """Names the states of a step model: the inputs that are also outputs.

    A step model is a functional model from a dict to a dict. It keeps nothing between
    calls; what a call leaves behind it returns, under the name by which the next call
    takes it in. `kerasseq.training.TruncatedBPTT` trains such a model on contiguous
    text, `kerasseq.decoding.step_signature` exports it.

    Args:
        model: A functional model with a dict of inputs and a dict of outputs.

    Returns:
        List of names, in the order of the inputs.

    Raises:
        ValueError: if inputs or outputs are no dicts, no name is in both, or a state
            comes out in another shape than it goes in.

    Example:
        >>> kerasseq.models.state_names(kerasseq.models.language_model(100))
        ['state_0', 'state_1', 'state_2', 'state_3']
    """
    inputs = getattr(model, "input", None)
    outputs = getattr(model, "output", None)
    if not isinstance(inputs, dict) or not isinstance(outputs, dict):
        raise ValueError(
            "A step model is a functional model with a dict of inputs and a dict of "
            "outputs; build it as `keras.Model({'x': x, 'state': state}, {'y': y, "
            "'state': new_state})`. Received: "
            f"{model!r} with inputs {_kind(inputs)} and outputs {_kind(outputs)}"
        )
    names = [name for name in inputs if name in outputs]
    if not names:
        raise ValueError(
            "A step model takes and returns its states under the same names. "
            f"Received: model {model.name!r} with inputs {list(inputs)} and outputs "
            f"{list(outputs)}"
        )
    for name in names:
        before, after = inputs[name].shape, outputs[name].shape
        if tuple(before) != tuple(after):
            raise ValueError(
                f"State {name!r} must keep its shape over a step. Received: model "
                f"{model.name!r}, input shape {before}, output shape {after}"
            )
    return names


def _kind(structure):
    return list(structure) if isinstance(structure, dict) else type(structure).__name__

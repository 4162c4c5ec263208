"""One step of a step model as a signature of an exported file."""

import keras

from kerasseq import models


def step_signature(step_model, batch_size=1, length=1, name="step"):
    """The function that a phone calls again and again: `(x, states) -> (y, states)`.

    Inputs and outputs have the names of the model's own. The caller feeds the states
    that came out of a call into the next one, and zeros into the first.

    Args:
        step_model: A step model, see `kerasseq.models.state_names`.
        batch_size: Rows of every call.
        length: Time steps of every call. With 1 the exported graph has no loop.
        name: Name of the signature, such as `"prefill"` for one of several steps.

    Returns:
        `{name: (function, {input: (shape, dtype)})}` for
        `kerasseq.export.export_model(signatures=...)`; the function takes its inputs
        by name and returns a dict of tensors.

    Raises:
        ValueError: for a model that is no step model, sizes that are not positive, or
            an input of unknown size beside batch and time.

    Example:

    ```python
    signatures = kerasseq.decoding.step_signature  # or a lambda that sets `length`
    kerasseq.export.export_model(step_model, folder, signatures=signatures)
    step = kerasseq.lite.Runner(folder / "model.tflite").stateful("step")
    for token in tokens:
        logits = step(tokens=[[token]])["logits"]
    ```
    """
    models.state_names(step_model)  # refuses what is no step model
    if batch_size < 1 or length < 1:
        raise ValueError(
            "`batch_size` and `length` must be at least 1. "
            f"Received: batch_size={batch_size}, length={length}"
        )
    specs = {
        key: (
            _static_shape(key, tensor, batch_size, length),
            keras.backend.standardize_dtype(tensor.dtype),
        )
        for key, tensor in step_model.input.items()
    }

    def step(**tensors):
        return step_model(tensors, training=False)

    return {name: (step, specs)}


def _static_shape(name, tensor, batch_size, length):
    shape = [batch_size, *tensor.shape[1:]]
    if len(shape) > 1 and shape[1] is None:
        shape[1] = length
    if None in shape:
        raise ValueError(
            "Only batch and time, the first two dimensions, may be of unknown size. "
            f"Received: input {name!r} of shape {tuple(tensor.shape)}"
        )
    return tuple(shape)

"""The signature of a model of images: a camera's uint8 pixels in, probabilities out."""

from collections.abc import Callable, Sequence

import keras

_OUTPUTS = ("probabilities", "logits")


def image_signature(
    input_shape: tuple[int, int, int],
    *,
    output: str = "probabilities",
    softmax: Sequence[str] | None = None,
    temperature: float = 1.0,
) -> Callable[[keras.Model], dict]:
    """Makes the signature `serve` that takes one image as a phone has it.

    Its input `image`, uint8 `(1, height, width, channels)`, is cast to float32 with its
    values 0 to 255 kept, resized bilinearly (with half-pixel centers) where the model
    was built for another size, and goes through the model; rescaling is the model's
    (`include_rescaling=True`). A map of classes has the size of the model's output.

    Every op is on the GPU delegate's list if the model's are; the delegate leaves only
    the first, the cast of uint8, to the CPU. It has no ARG_MAX, so the app takes the
    class of an image or pixel: `probabilities.argmax(-1)`.

    Args:
        input_shape: `(height, width, channels)` of the image on the phone.
        output: `"probabilities"`, for a softmax over the last axis, or `"logits"`, for
            what the model returns. It is also the name of the output, unless the model
            returns a dict: then every head is an output with its own name.
        softmax: For a model that returns a dict, and `"probabilities"`: tuple of the
            names of the classification heads; the others stay as they are.
        temperature: What logits are divided by before the softmax, from
            `kerasseq.training.fit_temperature`.

    Returns:
        A function for `signatures` of `export.export_model`.

    Raises:
        ValueError: If an argument is not usable. When exporting, if the model takes
            other than one input of images with these channels, or has no such heads.

    Example:

    ```python
    model = models.unet((96, 96, 3), heads={"mask": 2, "depth": 1})
    signature = export.image_signature((480, 640, 3), softmax=("mask",))
    export.export_model(model, "saved_models/demo", signatures=signature)
    ```
    """
    input_shape = _checked_shape(input_shape)
    _check_output(output, softmax)
    if not temperature > 0:
        raise ValueError(
            f"`temperature` must be above 0. Received: temperature={temperature}"
        )

    def signatures(model):
        size = _model_size(model, input_shape)

        def serve(image):
            x = keras.ops.cast(image, "float32")
            if size != input_shape[:2]:
                x = keras.ops.image.resize(
                    x, size, interpolation="bilinear", data_format="channels_last"
                )
            return _named(model(x, training=False), output, softmax, temperature)

        return {"serve": (serve, {"image": ((1, *input_shape), "uint8")})}

    return signatures


def _checked_shape(input_shape):
    shape = tuple(input_shape)
    if len(shape) != 3 or not all(isinstance(x, int) and x > 0 for x in shape):
        raise ValueError(
            "`input_shape` must be (height, width, channels), positive integers. "
            f"Received: input_shape={input_shape}"
        )
    return shape


def _check_output(output, softmax):
    if output not in _OUTPUTS:
        raise ValueError(
            f"`output` must be one of {_OUTPUTS}. Received: output={output!r}"
        )
    if isinstance(softmax, str) or (softmax and output == "logits"):
        raise ValueError(
            "`softmax` must be a tuple of names of heads, or None with "
            f"output='logits'. Received: softmax={softmax!r}, output={output!r}"
        )


def _model_size(model, input_shape):
    """The height and width of the model's input; where they are open, the image's."""
    shapes = [tuple(x.shape) for x in getattr(model, "inputs", None) or []]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] != input_shape[2]:
        raise ValueError(
            "The model must have one input (batch_size, height, width, channels) with "
            "the channels of the image, the last of `input_shape`. Received: "
            f"input_shape={input_shape}, a model with inputs {shapes}"
        )
    sides = zip(shapes[0][1:3], input_shape[:2], strict=True)
    return tuple(wanted or given for wanted, given in sides)


def _named(outputs, output, softmax, temperature):
    """A dict of outputs, with a softmax on the classification heads."""
    if not isinstance(outputs, dict):
        _check_tensor(outputs, softmax)
        outputs, softmax = {output: outputs}, (output,)
    if output == "logits":
        return outputs
    _check_heads(tuple(outputs), softmax)
    return {
        name: keras.ops.softmax(x / temperature, axis=-1) if name in softmax else x
        for name, x in outputs.items()
    }


def _check_tensor(tensor, softmax):
    if softmax or isinstance(tensor, (list, tuple)):
        raise ValueError(
            "The model must return one tensor, with softmax=None, or a dict of heads. "
            f"Received: softmax={softmax!r}, an output of type {type(tensor).__name__}"
        )


def _check_heads(heads, softmax):
    if softmax is None or set(softmax) - set(heads):
        raise ValueError(
            "The model returns a dict: name its classification heads, e.g. "
            f"softmax={heads[:1]}, or () if there is none. "
            f"Received: softmax={softmax!r}, heads {heads}"
        )

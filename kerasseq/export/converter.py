"""SavedModel to TFLite in a child process, and what a refusal says."""

import pathlib
import re

from kerasseq.export import child, convert_child

CHILD_MODULE = "kerasseq.export.convert_child"

# loc(callsite(fused["Cumprod:", "functional_1/my_layer_1/Cumprod@__inference_f_42"] ...
_FAILING_NODE = re.compile(r'fused\["(\w+):", "([^"@]+)(?:@[^"]*)?"\]')
_LOOPS = ("While", "If")
_HINTS = {
    "BitwiseAnd": " `keras.ops.argmax` of floats lowers to BitwiseAnd: use `tf.argmax`"
    " or `keras.ops.top_k(x, 1)[1]`.",
}
_UNSUPPORTED = re.compile(r"^(?:TF Select|Custom) ops: (.+)$", re.MULTILINE)


def convert(saved_model_dir, tflite_path, signatures, layers):
    """Converts a SavedModel with builtin ops only, in a child process.

    Args:
        saved_model_dir: Path of the SavedModel.
        tflite_path: Path of the file to write.
        signatures: Names of the signatures to keep.
        layers: The layers of the model, to name the one that causes an error.

    Raises:
        ValueError: If the model needs ops that are no builtins; names op and layer.
        RuntimeError: If the converter crashes; holds the end of its standard error.
    """
    tflite_path = pathlib.Path(tflite_path)
    errors = tflite_path.with_suffix(".error")
    result = child.run(
        CHILD_MODULE, [saved_model_dir, tflite_path, errors, *signatures]
    )
    if result.returncode == convert_child.REFUSED and errors.exists():
        raise ValueError(explain(errors.read_text(encoding="utf-8"), layers))
    child.check(result, "The TFLite conversion")
    if not tflite_path.exists():
        raise RuntimeError("The TFLite conversion ended without writing a file.")


def explain(message, layers):
    """Turns the converter's error into one that names ops and layers.

    Args:
        message: Text of the converter's error.
        layers: The layers of the model.

    Returns:
        A readable message.
    """
    names = {layer.name: type(layer).__name__ for layer in layers}
    found = dict.fromkeys(
        (op, _layer_of(node, names))
        for op, node in map(_failing_node, message.splitlines())
        if op
    )
    named = {op for op, _ in found}
    for group in _UNSUPPORTED.findall(message):
        rest = {op.strip() for op in group.split(",")} - named
        found.update(((op, "a layer unknown"), None) for op in sorted(rest))
    # A loop fails only because of what is in it.
    found = {key: None for key in found if key[0] not in _LOOPS} or found
    if not found:
        first = next(iter(message.strip().splitlines()), "no message")
        return f"The model does not convert to TFLite builtin ops: {first}"
    ops = {op for op, _ in found}
    causes = "; ".join(f"op '{op}' in {layer}" for op, layer in found)
    return (
        "The model does not convert to TFLite builtin ops, and mobile runtimes load "
        f"no others (Flex). Received: {causes}. Write these layers with other ops, "
        "e.g. a recurrent layer of `kerasseq.layers`, with static shapes."
        + "".join(hint for op, hint in _HINTS.items() if op in ops)
    )


def _failing_node(line):
    """The op and node name of an error line; of nested locations, the innermost."""
    match = _FAILING_NODE.search(line) if "error:" in line else None
    return match.groups() if match else (None, None)


def _layer_of(node, names):
    """The innermost Keras layer of a node name such as `functional_1/lstm_1/MatMul`."""
    for part in reversed(node.split("/")):
        for name in (part, re.sub(r"_\d+$", "", part)):
            if name in names:
                return f"layer '{name}' ({names[name]})"
    return f"no layer (node '{node}')"

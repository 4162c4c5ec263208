"""Names all that cannot be imported from a file, before anything is built."""

from collections.abc import Mapping
from typing import Any

from kerasseq.convert.keras2 import layer_config, model_builder, tf_ops
from kerasseq.convert.keras2.lambda_layers import LambdaFunction, Unreadable
from kerasseq.convert.keras2.source import Source


def check(
    source: Source, custom_objects: Mapping[str, Any], layer_classes: Mapping[str, type]
) -> None:
    """Looks at each serialized object of a file.

    Args:
        source: The open file.
        custom_objects: `{name: class or function}` of the user.
        layer_classes: `{name of a layer: class}` of the user.

    Raises:
        ValueError: If some cannot be imported, or `layer_classes` names no layer.
    """
    reasons: dict[str, list[str]] = {}  # {reason: names}
    unknown = set(layer_classes)

    def visit(node, path):
        if isinstance(node, (list, tuple)):
            for item in node:
                visit(item, path)
        elif isinstance(node, dict):
            if "class_name" in node and isinstance(node.get("config"), dict):
                name = f"{path or ''}{node['config'].get('name')}"
                if name in layer_classes and not source.of_keras_3:
                    unknown.discard(name)
                else:
                    reason = _reason(node, custom_objects, source.of_keras_3)
                    shown = f"'{path}'" if _is_code(node) else f"layer '{name}'"
                    reasons.setdefault(reason, []).append(shown)
                path = "" if path is None else f"{name}/"
            for key, value in node.items():
                if key not in ("compile_config", "inbound_nodes"):
                    visit(value, path)

    visit(source.config, None)
    reasons.pop("", None)
    if reasons:
        found = "; ".join(f"{', '.join(names)} {why}" for why, names in reasons.items())
        raise ValueError(f"The model cannot be imported: {found}.")
    if unknown:
        raise ValueError(
            "A class is given for layers that the file does not have; layers in a "
            f"nested model are named `model/layer`. Received: {', '.join(unknown)}"
        )


def _is_code(node):
    return node["class_name"] == "__lambda__"


def _reason(node, custom_objects, of_keras_3):
    """Why an object cannot be imported, or `""`."""
    kind, config = node["class_name"], node["config"]
    if _is_code(node):
        return "holds code, which is never run"
    if kind in tf_ops.CLASSES:
        function = config.get("function")
        known = tf_ops.find(function) is not None
        return "" if known else f"of class {kind}: `tf.{function}` has no counterpart"
    is_layer = "trainable" in config and not model_builder.is_model(node)
    if not is_layer and kind not in layer_config.UNSAFE:
        return ""
    _, reason = layer_config.find_class(node, custom_objects)
    if reason and kind == "Lambda" and not of_keras_3:
        try:
            LambdaFunction(config)
        except Unreadable as error:
            return f"of class {kind}: {reason} ({error})"
        return ""
    return f"of class {kind}: {reason}" if reason else ""

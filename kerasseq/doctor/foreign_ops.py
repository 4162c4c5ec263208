"""Findings about ops that are no builtins of the runtime."""

from kerasseq.doctor._finding import finding, some

_EXPORT = "`kerasseq.export.export_model`"
# Custom ops that compilers leave in a file, and what they compile for.
COMPILED = {
    "DISPATCH_OP": "an NPU, by LiteRT's ahead-of-time compiler",
    "edgetpu-custom-op": "Coral's Edge TPU",
    "ethos-u": "Arm's Ethos-U, by Vela",
}


def _flex(content):
    if content["flex_ops"]:
        yield finding(
            "error",
            "Flex ops: they need the select-ops library, which neither the pip package "
            "ai-edge-litert nor LiteRT's newer Android runtime has.",
            some(content["flex_ops"]),
            "Link `tensorflow-lite-select-tf-ops` into the app, which adds tens of "
            f"megabytes, or export with builtin ops and a static batch: {_EXPORT} "
            "names the layer that needs another op.",
        )


def _compiled(content):
    if content["compiled_for"]:
        devices = some(content["compiled_for"])
        yield finding(
            _severity(content),
            f"The file is compiled for {devices}: nothing else runs it.",
            some(name for name in content["custom_ops"] if name in COMPILED),
            "Run it with the delegate or dispatch library of that device; for another "
            "use the file it was compiled from.",
        )


def _custom(content):
    custom = [name for name in content["custom_ops"] if name not in COMPILED]
    if custom:
        yield finding(
            _severity(content),
            "Custom ops: only a runtime that has them registered loads them.",
            some(custom),
            "Register them in the app, or write the layer with builtin ops.",
        )


def _unknown(content):
    if content["unknown_ops"]:
        yield finding(
            _severity(content),
            "Ops that this version of the runtime does not know.",
            some(content["unknown_ops"]),
            "Update ai-edge-litert, or convert with the TensorFlow of the runtime.",
        )


def _severity(content):
    return "warning" if content["runtime"]["loads"] else "error"


RULES = (_flex, _compiled, _custom, _unknown)

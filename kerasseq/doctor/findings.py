"""What the content of a TFLite file means, and what to do about it."""

from typing import Any

from kerasseq.doctor import foreign_ops, measured_findings, target_findings
from kerasseq.doctor._finding import finding, some

_MOST_BYTES = 2**31
_WASTE = 64 * 1024  # bytes of duplicates that are worth a word
_SEVERITIES = ("error", "warning", "note")
_EXPORT = "`kerasseq.export.export_model`"
_BIAS = (
    "A bias of an integer kernel is int32 and has the scale of the input times that of "
    "the weights: one scale, or one per output channel where the weights have as many."
)
_DAMAGED = "Write or copy the file again, and compare its size and checksum."


def unreadable(reply: dict[str, str], end: str) -> dict[str, str]:
    """The finding of a file that could not be read.

    Args:
        reply: `"message"`, the error, and `"do"` if the file is known to be of another
            kind; empty if the child did not get to say one.
        end: How the child ended.

    Returns:
        A finding.
    """
    if "message" not in reply:
        return finding(
            "error",
            f"Reading the file {end}: it is damaged, or too large for the limits.",
            "the whole file",
            f"{_DAMAGED} For a large file raise `--time_limit` or `--memory_limit`.",
        )
    do = reply.get("do", _DAMAGED)
    return finding("error", reply["message"], "the whole file", do)


def container(
    kind: str, num_models: int, others: list[dict[str, Any]]
) -> dict[str, str]:
    """The finding of a file that holds others.

    Args:
        kind: What it is.
        num_models: Number of `.tflite` files in it.
        others: List of `{"name", "kind", "num_bytes"}`, the rest.

    Returns:
        A finding.
    """
    named = (
        some(f"{part['name']} ({part['kind']})" for part in others) or "nothing else"
    )
    what = f"The file is {kind}"
    if not num_models:
        what += ", and nothing that it unpacks to is a `.tflite` file."
        do = "Give the `.tflite` file that an app is to run."
        return finding("error", what, named, do)
    what += f": {num_models} of its parts are `.tflite` files, examined one by one."
    do = "Nothing: it need not be unpacked for this."
    return finding("note", what, f"beside them {named}", do)


def collect(content: dict[str, Any], target: str) -> list[dict[str, str]]:
    """Judges the content of a file for a target.

    Args:
        content: From `description.describe`, with `"runtime"` and maybe `"run"`.
        target: One of `examination.TARGETS`.

    Returns:
        A list of findings, errors first.
    """
    rules = [*_RULES, *target_findings.RULES[target]]
    found = [finding for rule in rules for finding in rule(content)]
    return sorted(found, key=lambda item: _SEVERITIES.index(item["severity"]))


def _loading(content):
    runtime = content["runtime"]
    known = content["flex_ops"] + content["custom_ops"] + content["unknown_ops"]
    if runtime["loads"] or (known and "crashed" not in runtime["message"]):
        return
    message = runtime["message"]
    do = f"If {_EXPORT} wrote the file it is damaged since; else convert it again."
    if "builtin opcode" in message:
        do = "The op is newer than the runtime: update ai-edge-litert and the app's."
    elif "scale" in message and ("bias" in message or "INT32" in message):
        do = f"{_BIAS} Convert again with the quantizer of {_EXPORT}."
    elif "valid Flatbuffer" in message:
        do = _DAMAGED
    elif "crashed" in message:
        do = (
            f"{_DAMAGED} An honest file with an int8 WHILE loop does this too: "
            f"convert it with `quantize=('dynamic',)` of {_EXPORT}."
        )
    elif "not finished" in message or "MemoryError" in message:
        do = "Raise `--time_limit` or `--memory_limit`; if it still fails, the file is "
        do += "damaged."
    yield finding(
        "error",
        f"The runtime does not load the file: {message}",
        f"ai-edge-litert {runtime['version']}",
        do,
    )


def _running(content):
    message = content.get("run", {}).get("message")
    if message:
        yield finding(
            "error",
            f"The file loads, but does not run: {message}",
            "a signature, on random floats and zeros",
            "Raise `--time_limit` for a slow model; else look for a loop without end, "
            "or an index or division that fails on zero.",
        )


def _size(content):
    if content["bytes"] >= _MOST_BYTES:
        yield finding(
            "error",
            "The file has 2 GB or more, and a flatbuffer less.",
            f"{content['bytes']} bytes",
            "Quantize the weights, or split the model into several files.",
        )
    waste = content["constants"]["duplicated_bytes"]
    if waste >= _WASTE:
        yield finding(
            "warning",
            f"Equal constants are stored more than once: {waste} bytes too many.",
            "buffers with the same content",
            f"Export all signatures in one conversion, as {_EXPORT} does.",
        )


def _structure(content):
    if not content["signatures"]:
        yield finding(
            "warning",
            "The file has no signatures: inputs and outputs are known by order alone.",
            "the whole file",
            f"Convert from a SavedModel with signatures, or with {_EXPORT}.",
        )
    if not content["ops"]:
        yield finding(
            "warning",
            "The file has no ops: it computes nothing.",
            "all subgraphs",
            "Look at what was converted: the outputs are constants or inputs.",
        )
    if content["empty_tensors"]:
        yield finding(
            "warning",
            "Tensors without elements are computed.",
            some(content["empty_tensors"]),
            "Look for a slice or a split of length 0 in the model.",
        )
    if content["constants"]["nan_tensors"]:
        yield finding(
            "warning",
            "Constants hold NaN.",
            some(content["constants"]["nan_tensors"]),
            "Look at the weights of the model; if they hold none the file is damaged.",
        )


def _types(content):
    if content["wide_tensors"]:
        types = sorted(n for n in content["tensor_types"] if n.endswith(("64", "128")))
        floats = any(name.startswith(("FLOAT", "COMPLEX")) for name in types)
        yield finding(
            "warning" if floats else "note",
            f"Computed tensors with 64 bits or more ({', '.join(types)}): few kernels "
            "take them, and each needs twice the memory.",
            some(content["wide_tensors"]),
            "Cast to int32 or float32 in the model, inputs first.",
        )


def _biases(content):
    names = content["quantization"]["odd_biases"]
    if names:
        yield finding(
            "warning",
            "Biases in another scale than the sums they are added to.",
            some(names),
            f"{_BIAS} Convert again with one quantizer for the whole file.",
        )


def _packed(content):
    if message := content["packed_files_message"]:
        yield finding(
            "error",
            f"What is packed into the file is damaged: {message}",
            "TFLITE_METADATA and the zip at the end of the file",
            f"{_DAMAGED} `kerasseq.lite.packed_files.pack` packs anew.",
        )
    if content["missing_files"]:
        yield finding(
            "error",
            "The metadata list files that are not packed into the file.",
            some(content["missing_files"]),
            "The end of the file may be cut off: copy it again, or pack the files with "
            "`kerasseq.lite.packed_files.pack`.",
        )


_RULES = (
    *foreign_ops.RULES,
    *measured_findings.RULES,
    _loading,
    _running,
    _size,
    _structure,
    _types,
    _biases,
    _packed,
)

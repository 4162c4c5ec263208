"""What the task classes share: the file, what is packed into it, and its signature."""

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from kerasseq.lite import _runner, packed_files

Path = str | os.PathLike[str]


def find(path: Path) -> pathlib.Path:
    """The `.tflite` file at a path.

    Args:
        path: The file; or a folder with `model.tflite`, or a single `.tflite` file.

    Raises:
        ValueError: For what is no path, and for a folder without such a file.
    """
    try:
        path = pathlib.Path(os.fsdecode(path))
    except TypeError as error:
        raise ValueError(
            f"`path` must be the path of a file or folder. Received: path={path!r}"
        ) from error
    if not path.is_dir():
        return path
    found = in_folder(path)
    if found is None:
        names = ", ".join(sorted(file.name for file in path.glob("*.tflite")))
        raise ValueError(
            "A folder must hold model.tflite, or a single .tflite file; name the file "
            f"itself. Received: '{path}' with {names or 'no .tflite file'}"
        )
    return found


def in_folder(folder: pathlib.Path) -> pathlib.Path | None:
    """`model.tflite` of a folder, or its single `.tflite` file; `None` without."""
    files = sorted(folder.glob("*.tflite"))
    main = [file for file in files if file.name == "model.tflite"]
    found = main or (files if len(files) == 1 else [])
    return found[0] if found else None


def read_json(path: Path, name: str, kind: type) -> Any:
    """Reads a packed JSON file.

    Args:
        path: Path of the `.tflite` file.
        name: Name of the packed file.
        kind: `dict` or `list`, what the file must hold.

    Raises:
        ValueError: If the file is missing, or holds something else.
    """
    content = packed_files.read(path, name)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{name} of {path} is damaged; export again. Received: {error}"
        ) from error
    if not isinstance(value, kind):
        raise ValueError(
            f"{name} of {path} must hold a JSON {kind.__name__}; export again. "
            f"Received: {type(value).__name__}"
        )
    return value


def read_card(path: Path) -> dict[str, Any]:
    """The packed `card.json`, `{}` if there is none."""
    if "card.json" not in packed_files.names(path):
        return {}
    return read_json(path, "card.json", dict)


def read_labels(path: Path) -> list[str]:
    """The names of the classes, from the packed `labels.json`."""
    labels = read_json(path, "labels.json", list)
    if not all(isinstance(label, str) for label in labels):
        raise ValueError(f"labels.json of {path} must hold names; export again.")
    return labels


def signature(
    runner: _runner.Runner,
    path: Path,
    name: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    task: str,
) -> dict[str, Any]:
    """The signature that a task needs.

    Args:
        runner: The open file.
        path: Its path, for the message.
        name: Name of the signature.
        inputs: Names of inputs that it must have.
        outputs: Names of outputs that it must have.
        task: What the file should be, for the message, e.g. `"a translator"`.

    Returns:
        `{"inputs": {name: (shape, dtype)}, "outputs": {...}}`.

    Raises:
        ValueError: If there is no such signature; says what the file is.
    """
    found = runner.signatures.get(name, {"inputs": {}, "outputs": {}})
    if {*inputs} <= {*found["inputs"]} and {*outputs} <= {*found["outputs"]}:
        return found
    raise not_a(task, path, runner, f"{name}({_join(inputs)}) -> {_join(outputs)}")


def row_length(specs: Mapping[str, Any], name: str) -> int:
    """The length of an int32 input `(1, length)`; 0 if it is of another form."""
    shape, dtype = specs[name]
    fits = len(shape) == 2 and shape[0] == 1 and dtype == "int32"
    return (shape[1] or 0) if fits else 0


def check_vocabulary(runner: _runner.Runner, path: Path, size: int) -> None:
    """Refuses a vocabulary that is larger than the model's.

    Args:
        runner: The open file; the logits of its `step` tell the size of the model's.
        path: Its path, for the message.
        size: Number of entries of the packed vocabulary.

    Raises:
        ValueError: If ids of the vocabulary are outside of the model's.
    """
    outputs = runner.signatures.get("step", {"outputs": {}})["outputs"]
    known = outputs["logits"][0][-1] if "logits" in outputs else None
    if known is not None and size > known:
        raise ValueError(
            f"The vocabulary of {path} has {size} entries and the model knows {known}: "
            "they are of different models, and its ids would mean other words. Export "
            "again."
        )


def check_num_best(num_best: Any) -> None:
    """Refuses what is no number of texts to return.

    Raises:
        ValueError: If it is no positive integer.
    """
    if not isinstance(num_best, int) or num_best < 1:
        raise ValueError(
            f"`num_best` must be a positive integer. Received: num_best={num_best!r}"
        )


def not_a(task: str, path: Path, runner: _runner.Runner, needs: str) -> ValueError:
    """The error of a file of another kind.

    Args:
        task: What the file should be.
        path: Path of the file.
        runner: The open file.
        needs: The signature that is missing.
    """
    signatures = [
        f"{name}({_join(sides['inputs'])}) -> {_join(sides['outputs'])}"
        for name, sides in runner.signatures.items()
    ]
    kind = _kind(runner.signatures)
    return ValueError(
        f"{path} is not {task}: it has no signature `{needs}`. It {kind}. Received: "
        f"signatures {'; '.join(signatures)}"
    )


def _kind(signatures):
    beam = signatures.get("beam", {"inputs": (), "outputs": ()})
    if "tokens" in beam["outputs"] and "image" in beam["inputs"]:
        return "seems to be a captioner: open it with `lite.Captioner`"
    if "tokens" in beam["outputs"]:
        return "seems to be a translator: open it with `lite.Translator`"
    if "prompt" in signatures.get("generate", {"inputs": ()})["inputs"]:
        return "seems to be a language model: open it with `lite.TextGenerator`"
    if "tags" in signatures.get("tag", {"outputs": ()})["outputs"]:
        return "seems to be a tagger: open it with `lite.Tagger`"
    serve = signatures.get("serve", {"inputs": {}, "outputs": {}})
    if "tokens" in serve["inputs"] and "probabilities" in serve["outputs"]:
        return "seems to be a text classifier: open it with `lite.TextClassifier`"
    if "history" in serve["inputs"]:
        return "seems to be a forecaster: open it with `lite.Forecaster`"
    if "image" in serve["inputs"]:
        maps = [shape for shape, _ in serve["outputs"].values() if len(shape) == 4]
        name = "ImageSegmenter" if maps else "ImageClassifier"
        return f"seems to be for images: open it with `lite.{name}`"
    return "is for no task that `kerasseq.lite` knows: run it with `lite.Runner`"


def _join(names):
    return ", ".join(names)

"""Puts a run's card, curve and one small exported file where git keeps them.

    python -m recipes.shared.publish saved_models/translate --file model_dynamic.tflite
    python -m recipes.shared.publish saved_models/nuclei --file model_int8.tflite \\
        --to saved_models/published/segment_nuclei

The file must hold all that an app needs, and together they must be small. What it
scores on the first rows of its test data goes into `card.json` as `check`; the tests
compute it again. Without `--file`, the smallest of the run is taken.
"""

import importlib
import json
import pathlib
import shutil
import sys

from absl import flags as absl_flags

from kerasseq.lite import packed_files
from kerasseq.utils import atomic
from recipes.shared import command_line, exported_file

MAX_BYTES = 4_000_000
CARD, HISTORY = "card.json", "history.csv"
TOLERANCE = 0.01  # of scores; processors round differently


def define_flags():
    """The flags of this command."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    text = "Where to; else the folder of the same name in saved_models/published."
    define("string", "to", None, text)
    define("string", "file", None, "Exported file; else the smallest of the run.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags, folder):
    """Checks a run and publishes it.

    Args:
        flags: The flags.
        folder: Folder of the run, `None` if the command names none.

    Raises:
        ValueError: if the file cannot be published; then nothing is written.
    """
    if folder is None:
        raise ValueError(
            "Name the folder of a run first: "
            "python -m recipes.shared.publish saved_models/translate"
        )
    folder = pathlib.Path(folder)
    path = _chosen(folder, flags.file)
    card = read_card(path)
    card |= {"file": path.name, "bytes": path.stat().st_size, "check": score(path)}
    target = pathlib.Path(flags.to or exported_file.PUBLISHED / folder.name)
    with atomic.replace_folder(target) as new:
        atomic.write_json(new / CARD, card)
        for source in (folder / HISTORY, path):
            shutil.copy(source, new)
        _check_size(new)
    print(f"{target}: {card['file']}, {card['bytes']:,} bytes, {card['check']}")


def score(path):
    """What an exported file scores on the first rows of its test data.

    Args:
        path: Path of the `.tflite` file with its card.

    Returns:
        A dict: `metric`, `value`, `rows`, and `tolerance`, by which the value may
        differ on another machine.

    Raises:
        ValueError: if the data are not there.
    """
    card = read_card(path)
    evaluate = importlib.import_module(f"recipes.{card['task']}.evaluate")
    found = evaluate.published_score(path, run_flags(card))
    return found | {"value": float(found["value"]), "tolerance": TOLERANCE}


def run_flags(card):
    """The flags of the run that a card tells of, parsed."""
    recipe = importlib.import_module(f"recipes.{card['task']}.__main__")
    return command_line.restore(recipe.define_flags(), card)


def read_card(path):
    """The card that is packed into an exported file, a dict.

    Raises:
        ValueError: if there is none.
    """
    if CARD not in packed_files.names(path):
        raise ValueError(
            f"'{path}' holds no {CARD}, so that the file alone would not suffice. "
            "Export it again with --embed_files."
        )
    return json.loads(packed_files.read(path, CARD))


def _chosen(folder, name):
    files = sorted(folder.glob("*.tflite"), key=lambda path: path.stat().st_size)
    if name is not None:
        files = [path for path in files if path.name == name]
    if not files:
        raise ValueError(
            f"'{folder}' has no file {name or '*.tflite'}. Train, and ask for it with "
            "--quantize."
        )
    if not (folder / HISTORY).exists():
        raise ValueError(f"'{folder}' has no {HISTORY}: it is no run of a recipe.")
    return files[0]


def _check_size(folder):
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > MAX_BYTES:
        raise ValueError(
            f"At most {MAX_BYTES:,} bytes are published; quantize the file, or "
            f"make the model smaller. Received: {size:,} bytes"
        )


if __name__ == "__main__":
    folder, *arguments = sys.argv[1:] or ["--help"]
    if folder.startswith("--"):
        folder, arguments = None, [folder, *arguments]
    code = command_line.run(
        lambda flags: main(flags, folder), define_flags(), __doc__, arguments
    )
    sys.exit(code)

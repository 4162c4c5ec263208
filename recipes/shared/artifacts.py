"""What a recipe leaves behind: packed files, report, page, card, and a list of all."""

import contextlib
import json
import pathlib
import shutil

import kerasseq
from kerasseq.export import page
from kerasseq.lite import packed_files
from recipes.shared import command_line, progress

REPORT_FILES = ("history.csv", "report.json", "report.html", "card.json")
# What lies beside the exported files where it is not packed into them.
SIDE_FILES = (
    "labels.json",
    "series.json",
    "vocabulary.json",
    "characters.json",
    "subwords.model",
    "target_vocabulary.json",
    "target_subwords.model",
)


def write(
    folder,
    report,
    *,
    flags,
    recipe,
    settings,
    history,
    files,
    samples,
    pictures,
    warnings=(),
):
    """Packs what an app needs into the exported files, then writes all about the run.

    Each `.tflite` file gets `files` and its own card, with its own metrics. What the
    graph itself does, as rescaling pixels or drawing tokens, needs no file. Without
    `--embed_files` all lies beside. `report.json`, `card.json` and `report.html` tell
    the sizes after packing.

    Args:
        folder: Folder of a whole export, with the pictures in it.
        report: What `kerasseq.export.export_model` returned, with the metrics of the
            exported files added; it gets their new sizes.
        flags: The flags; `embed_files` is read.
        recipe: Name of the recipe, for the command on the card.
        settings: All settings of the run; defaults change.
        history: Rows of `history.csv`, as the run has them in memory.
        files: `{name: bytes}`, the vocabulary or the labels.
        samples: Dicts with the same keys, rows of the table of samples.
        pictures: Names of PNG files in the folder.
        warnings: Sentences about the model, beside those about the export.
    """
    folder = pathlib.Path(folder)
    report["warnings"] = [*warnings, *report["warnings"]]
    kerasseq.training.run_file.write_history(folder / "history.csv", history)
    command = command_line.command_line(f"recipes.{recipe}")
    about = {"command": command, "settings": settings}
    if flags.embed_files:
        _pack(folder, report, about, files)
    else:
        for name, content in files.items():
            (folder / name).write_bytes(content)
    sizes = {item["file"]: item["bytes"] for item in report["artifacts"]}
    main = card(report, report["artifacts"][0], about) | {"bytes": sizes}
    kerasseq.utils.atomic.write_json(folder / "card.json", main)
    kerasseq.utils.atomic.write_json(folder / "report.json", report)
    pictures = [folder / name for name in pictures]
    history = folder / "history.csv"
    page.write_page(folder / "report.html", report, history, samples, pictures)
    for warning in report["warnings"]:
        print(f"warning: {warning}")


def card(report, artifact, about):
    """The run in brief, with the figures of one of its files.

    Args:
        report: The report.
        artifact: The entry of the file in it.
        about: Dict of `command` and `settings`.

    Returns:
        A dict.
    """
    names = ("file", "precision", "metrics", "latency_ms", "max_abs_diff")
    head = {name: report[name] for name in ("task", "data")}
    found = {name: artifact[name] for name in names}
    return head | about | found | {"training": report["training"]}


def json_bytes(value):
    """A value as the bytes of a JSON file."""
    plain = kerasseq.utils.atomic.plain(value)
    return json.dumps(plain, ensure_ascii=False, indent=1).encode()


def _pack(folder, report, about, files):
    for artifact in tflite_entries(report):
        path = folder / artifact["file"]
        own = {"card.json": json_bytes(card(report, artifact, about))}
        packed_files.pack(path, files | own)
        artifact["bytes"] = path.stat().st_size


def tflite_entries(report):
    """The report's entries of `.tflite` files, a list."""
    return [x for x in report["artifacts"] if x["file"].endswith(".tflite")]


@contextlib.contextmanager
def artifact_dir(output_dir):
    """A folder whose contents go to `output_dir` in the end, all of them or none.

    What an earlier export left there and this one does not have is removed: quantized
    files, files beside the model, the page `web/`.

    Args:
        output_dir: Where they go.

    Yields:
        The path of the folder, to be filled.
    """
    atomic = kerasseq.utils.atomic
    with progress.stage("Export"), atomic.staging(output_dir) as folder:
        yield folder
        names = [path.name for path in folder.iterdir()]
        names.sort(key=lambda name: (name in REPORT_FILES, name))
        atomic.move_into(folder, output_dir, names)
    output_dir = pathlib.Path(output_dir)
    earlier = [path.name for path in output_dir.glob("model_*.tflite")]
    for name in {*earlier, *SIDE_FILES} - {*names}:
        (output_dir / name).unlink(missing_ok=True)
    if "web" not in names:
        shutil.rmtree(output_dir / "web", ignore_errors=True)


def exports_here(flags, model):
    """Whether this process can export; saves the trained model if it cannot.

    What follows takes any number of rows: it is no longer distributed.
    """
    import keras

    if keras.distribution.distribution() is not None:
        keras.distribution.set_distribution(None)
    try:
        kerasseq.export.front_ends.choose()
    except ImportError as error:
        with kerasseq.utils.atomic.staging(flags.output_dir) as folder:
            model.save(folder / "model.keras")
            kerasseq.utils.atomic.move_into(folder, flags.output_dir, ["model.keras"])
        print(f"Trained, not exported. {error} Then run again with --resume.")
        return False
    return True


def print_folder(output_dir):
    """Prints where everything lies."""
    print(f"\nResults are in {output_dir}/:")
    for path in sorted(pathlib.Path(output_dir).iterdir()):
        if path.name != "run":
            print(f"  {path.name}")

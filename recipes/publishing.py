"""What a recipe leaves behind: report, page, card, and a list of it all."""

import contextlib
import pathlib
import shutil

import kerasseq
from kerasseq.export import page
from recipes import common

REPORT_FILES = ("history.csv", "report.json", "report.html", "card.json")


def write_report(folder, report, module, settings, samples, pictures):
    """Writes `report.json`, `card.json` and `report.html`.

    Args:
        folder: Folder of a whole export, with `history.csv` and the pictures in it.
        report: What `kerasseq.export.export_model` returned, with the metrics of the
            exported files added.
        module: Name of the recipe's module, for the command on the card.
        settings: All settings of the run; defaults change.
        samples: Dicts with the same keys, rows of the table of samples.
        pictures: Names of PNG files in the folder.
    """
    folder = pathlib.Path(folder)
    kerasseq.atomic.write_json(folder / "report.json", report)
    kerasseq.atomic.write_json(folder / "card.json", _card(report, module, settings))
    page.write_page(
        folder / "report.html",
        report,
        folder / "history.csv",
        samples,
        [folder / name for name in pictures],
    )


def _card(report, module, settings):
    tflite = report["artefacts"][0]
    return {
        "task": report["task"],
        "data": report["data"],
        "command": common.command_line(module),
        "settings": settings,
        "metrics": tflite["metrics"],
        "training": report["training"],
        "bytes": {item["file"]: item["bytes"] for item in report["artefacts"]},
        "latency_ms": tflite["latency_ms"],
        "max_abs_diff": tflite["max_abs_diff"],
    }


@contextlib.contextmanager
def published(output_dir):
    """A folder whose contents go to `output_dir` in the end, all of them or none.

    Quantised files and the page `web/` of an earlier export that this one does not have
    are removed.

    Args:
        output_dir: Where they go.

    Yields:
        The path of the folder, to be filled.
    """
    with kerasseq.atomic.staging(output_dir) as folder:
        yield folder
        names = [path.name for path in folder.iterdir()]
        names.sort(key=lambda name: (name in REPORT_FILES, name))
        kerasseq.atomic.move_into(folder, output_dir, names)
    for path in pathlib.Path(output_dir).glob("model_*.tflite"):
        if path.name not in names:
            path.unlink()
    if "web" not in names:
        shutil.rmtree(pathlib.Path(output_dir, "web"), ignore_errors=True)


def save_for_tensorflow(values, model):
    """Saves a model that was trained on a backend that does not export."""
    with kerasseq.atomic.staging(values.output_dir) as folder:
        model.save(folder / "model.keras")
        kerasseq.atomic.move_into(folder, values.output_dir, ["model.keras"])
    print("Trained. Run again with KERAS_BACKEND=tensorflow --resume to export.")


def print_folder(output_dir):
    """Prints where everything lies."""
    print(f"\nEverything lies in {output_dir}/:")
    for path in sorted(pathlib.Path(output_dir).iterdir()):
        if path.name != "run":
            print(f"  {path.name}")

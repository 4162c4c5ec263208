"""What a recipe leaves behind: report, page, card, and a list of it all."""

import contextlib
import pathlib
import shutil

import kerasseq
from kerasseq.export import page
from recipes.shared import command_line

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
    kerasseq.utils.atomic.write_json(folder / "report.json", report)
    kerasseq.utils.atomic.write_json(
        folder / "card.json", _card(report, module, settings)
    )
    page.write_page(
        folder / "report.html",
        report,
        folder / "history.csv",
        samples,
        [folder / name for name in pictures],
    )


def _card(report, module, settings):
    tflite = report["artifacts"][0]
    return {
        "task": report["task"],
        "data": report["data"],
        "command": command_line.command_line(module),
        "settings": settings,
        "metrics": tflite["metrics"],
        "training": report["training"],
        "bytes": {item["file"]: item["bytes"] for item in report["artifacts"]},
        "latency_ms": tflite["latency_ms"],
        "max_abs_diff": tflite["max_abs_diff"],
    }


@contextlib.contextmanager
def artifact_dir(output_dir):
    """A folder whose contents go to `output_dir` in the end, all of them or none.

    Quantized files and the page `web/` of an earlier export that this one does not have
    are removed.

    Args:
        output_dir: Where they go.

    Yields:
        The path of the folder, to be filled.
    """
    with kerasseq.utils.atomic.staging(output_dir) as folder:
        yield folder
        names = [path.name for path in folder.iterdir()]
        names.sort(key=lambda name: (name in REPORT_FILES, name))
        kerasseq.utils.atomic.move_into(folder, output_dir, names)
    for path in pathlib.Path(output_dir).glob("model_*.tflite"):
        if path.name not in names:
            path.unlink()
    if "web" not in names:
        shutil.rmtree(pathlib.Path(output_dir, "web"), ignore_errors=True)


def save_for_tensorflow(flags, model):
    """Saves a model that was trained on a backend that does not export."""
    with kerasseq.utils.atomic.staging(flags.output_dir) as folder:
        model.save(folder / "model.keras")
        kerasseq.utils.atomic.move_into(folder, flags.output_dir, ["model.keras"])
    print("Trained. Run again with KERAS_BACKEND=tensorflow --resume to export.")


def print_folder(output_dir):
    """Prints where everything lies."""
    print(f"\nEverything lies in {output_dir}/:")
    for path in sorted(pathlib.Path(output_dir).iterdir()):
        if path.name != "run":
            print(f"  {path.name}")

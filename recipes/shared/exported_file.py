"""Which exported file a recipe uses: your own, or the published one."""

import os
import pathlib
import sys

from kerasseq.lite import _task_files

HONORED = ("from", "output_dir", "debug")
PUBLISHED = pathlib.Path(__file__).parents[2] / "saved_models" / "published"


def check_flags(flags, honored):
    """Refuses what an exported file cannot honor: how it was trained and exported.

    Args:
        flags: The flags of the recipe.
        honored: Names of those that its use reads, beside `HONORED`.

    Raises:
        ValueError: naming all others that were given.
    """
    names = sorted(name for name in flags if flags[name].present)
    others = [
        f"--{name}={flags[name].value}"
        for name in names
        if name not in {*HONORED, *honored}
    ]
    if others:
        raise ValueError(
            "An exported file is used as it was trained and exported, and these flags "
            "would change nothing: leave them out, or train and export with them. "
            f"Received: {' '.join(others)}"
        )


def find(flags, recipe):
    """The file of `--from`, else of the user's own run, else the published one.

    Says on standard error which one it is, unless `--from` names it.

    Args:
        flags: Flags `from` and `output_dir`.
        recipe: Name of the recipe, whose published file has the same name.

    Returns:
        A `pathlib.Path` of a `.tflite` file.

    Raises:
        ValueError: if nothing was exported or published yet.
    """
    given = flags["from"].value
    if given is not None:
        return in_folder(given) or pathlib.Path(given)
    own = dict.fromkeys([flags.output_dir, flags["output_dir"].default])
    places = [*map(pathlib.Path, own), PUBLISHED / recipe]
    for place in places:
        if path := in_folder(place):
            print(f"Using {os.path.relpath(path)}", file=sys.stderr)
            return path
    looked = " nor ".join(f"'{os.path.relpath(place)}'" for place in places)
    raise ValueError(
        f"There is no exported model in {looked}. Train one with "
        f"`python -m recipes.{recipe}`, or name a file with --from."
    )


def tell_beams(flags, runner):
    """Says that `--num_best` asks for more than the file has.

    Args:
        flags: Flag `num_best`.
        runner: The `kerasseq.lite.Runner` of a file with beam search.
    """
    beams = runner.signatures["beam"]["outputs"]["tokens"][0][1]
    if flags.num_best > beams:
        print(
            f"--num_best={flags.num_best}: the file has {beams} beams, and so many "
            "texts of each input; export with a larger --beam_size",
            file=sys.stderr,
        )


def in_folder(path):
    """The exported file that a path means.

    Args:
        path: A `.tflite` file, a folder with `model.tflite`, or one with a single
            `.tflite` file.

    Returns:
        A `pathlib.Path`, or `None` for a folder without such a file.
    """
    path = pathlib.Path(path)
    return path if path.suffix == ".tflite" else _task_files.in_folder(path)


def is_published(path):
    """Whether a file is among the published ones, a folder that stays as it is."""
    return PUBLISHED.resolve() in pathlib.Path(path).resolve().parents

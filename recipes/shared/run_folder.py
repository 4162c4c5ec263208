"""The folder of a run, `OUTPUT_DIR/run`: one run at a time, nothing on a dry run."""

import contextlib
import pathlib
import tempfile

import kerasseq
from kerasseq.utils import atomic, folder_lock
from recipes.shared import command_line, messages


@contextlib.contextmanager
def opened(flags):
    """Prepares a run and opens its folder for this process alone.

    Args:
        flags: The flags of the recipe.

    Yields:
        The folder, a `pathlib.Path`; with `--dry_run` one that goes away again.

    Raises:
        ValueError: if it cannot be written, another process writes there, or
            `--resume` finds nothing to go on from. Nothing has been changed then.
    """
    _check(flags)
    command_line.prepare(flags)
    kerasseq.training.RunState("state.npz", save_every=flags.save_every)
    if flags.dry_run:
        with tempfile.TemporaryDirectory() as folder:
            yield pathlib.Path(folder)
        return
    run_dir = pathlib.Path(flags.output_dir, "run")
    command_line.make_folder(run_dir)
    with folder_lock.held(run_dir):
        atomic.remove_leftovers(flags.output_dir)
        atomic.remove_leftovers(run_dir, within=True)
        yield run_dir


def kept(run_dir, name):
    """A file that the run to be resumed has left.

    Raises:
        ValueError: if it is not there.
    """
    path = pathlib.Path(run_dir, name)
    if not path.is_file():
        raise ValueError(
            f"--resume needs '{path}', which the run to be resumed has written; it is "
            "missing. Put it back, or leave --resume out to begin anew."
        )
    return path


def _check(flags):
    if flags.resume and flags.dry_run:
        raise ValueError("--dry_run is about a new run; leave --resume out.")
    if flags.resume and not pathlib.Path(flags.output_dir, messages.STATE).is_file():
        raise ValueError(
            f"There is no run to resume in --output_dir={flags.output_dir}: no "
            f"{messages.STATE}. Leave --resume out to begin anew."
        )

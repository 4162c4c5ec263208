"""One run at a time in a folder, and what a run needs to be resumed."""

import pytest

from kerasseq.utils import folder_lock
from recipes.shared import command_line, run_folder


def parsed(*arguments):
    flags = command_line.new_flags("demo", epochs=1, batch_size=2)
    flags(["recipe", *arguments])
    return flags


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_two_runs_in_one_folder(tmp_path):
    flags = parsed(f"--output_dir={tmp_path}")
    with run_folder.opened(flags) as run_dir:
        with pytest.raises(ValueError, match="Another process"):
            with run_folder.opened(flags):
                pass
        assert run_dir == tmp_path / "run"
    with run_folder.opened(flags):
        pass


def test_what_a_killed_run_left_goes(tmp_path):
    output = tmp_path / "out"
    (output / "run" / ".state.npz-partial-abc").mkdir(parents=True)
    (tmp_path / ".out-partial-abc").mkdir()
    with run_folder.opened(parsed(f"--output_dir={output}")):
        pass
    assert names(tmp_path) == ["out"]
    assert names(output / "run") == [folder_lock.NAME]


def test_resume_without_a_run_changes_nothing(tmp_path):
    with pytest.raises(ValueError, match="no run to resume.*no run/state.npz"):
        with run_folder.opened(parsed(f"--output_dir={tmp_path / 'x'}", "--resume")):
            pass
    assert names(tmp_path) == []
    with pytest.raises(ValueError, match="subwords.model.*missing"):
        run_folder.kept(tmp_path, "subwords.model")


def test_a_dry_run_writes_nothing(tmp_path):
    flags = parsed(f"--output_dir={tmp_path / 'x'}", "--dry_run")
    with run_folder.opened(flags) as run_dir:
        assert run_dir.is_dir() and tmp_path not in run_dir.parents
    assert not run_dir.exists() and names(tmp_path) == []

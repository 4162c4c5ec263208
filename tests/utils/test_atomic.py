import contextlib
import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from kerasseq.utils import atomic


class TestBasics:
    def test_write_json(self, tmp_path):
        value = {"a": np.float32(0.5), "b": (1, None, True), "c": np.arange(2)}
        value["d"] = float("nan")
        written = atomic.write_json(tmp_path / "new" / "a.json", value)
        assert written == {"a": 0.5, "b": [1, None, True], "c": [0, 1], "d": None}
        assert json.loads((tmp_path / "new" / "a.json").read_text()) == written
        assert os.listdir(tmp_path / "new") == ["a.json"]

    def test_replace_folder(self, tmp_path):
        for text in ("first", "second"):
            with atomic.replace_folder(tmp_path / "demo") as folder:
                (folder / f"{text}.txt").write_text(text)
        assert os.listdir(tmp_path / "demo") == ["second.txt"]
        assert os.listdir(tmp_path) == ["demo"]

    def test_replace_file_in_bytes(self, tmp_path):
        with atomic.replace_file(tmp_path / "a.bin", "wb") as file:
            file.write(b"\x00")
        assert (tmp_path / "a.bin").read_bytes() == b"\x00"


class TestErrors:
    def test_earlier_file_stays(self, tmp_path):
        (tmp_path / "a.txt").write_text("old")
        with pytest.raises(KeyError), atomic.replace_file(tmp_path / "a.txt") as file:
            file.write("new")
            raise KeyError
        assert (tmp_path / "a.txt").read_text() == "old"
        assert os.listdir(tmp_path) == ["a.txt"]

    def test_earlier_folder_stays(self, tmp_path):
        (tmp_path / "demo").mkdir()
        (tmp_path / "demo" / "old").touch()
        with pytest.raises(KeyError), atomic.replace_folder(tmp_path / "demo"):
            raise KeyError
        assert os.listdir(tmp_path) == ["demo"]
        assert os.listdir(tmp_path / "demo") == ["old"]

    @pytest.mark.parametrize("exists", [True, False])
    def test_all_or_none(self, tmp_path, exists):
        output = tmp_path / "out"
        if exists:
            output.mkdir()
            (output / "a").write_text("old")
        with atomic.staging(output) as folder:
            (folder / "a").write_text("new")
            with pytest.raises(FileNotFoundError):
                atomic.move_into(folder, output, ["a", "missing"])
        assert output.exists() == exists
        if exists:
            assert {p.name: p.read_text() for p in output.iterdir()} == {"a": "old"}

    def test_json_value(self, tmp_path):
        with pytest.raises(ValueError, match=r"\['a'\]\[1\].*type object"):
            atomic.write_json(tmp_path / "a.json", {"a": [1, object()]})
        assert os.listdir(tmp_path) == []

    def test_parent_is_a_file(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(ValueError, match="cannot be written"):
            atomic.check_output_dir(tmp_path / "file" / "demo")


def test_what_is_obsolete_goes_with_the_rest_or_stays(tmp_path):
    output = tmp_path / "out"
    (output / "old").mkdir(parents=True)
    (output / "kept").write_text("")
    for names, gone in ((["new", "missing"], False), (["new"], True)):
        with atomic.staging(output) as folder:
            (folder / "new").write_text("")
            with contextlib.suppress(OSError):
                atomic.move_into(folder, output, names, ["old", "absent"])
        assert (output / "old").exists() != gone
        assert (output / "new").exists() == gone
    assert (output / "kept").exists()


def test_leftovers_of_a_killed_process_go_and_nothing_else(tmp_path):
    killed = atomic.staging(tmp_path / "run[1]")
    folder = killed.__enter__()
    (folder / "half.txt").touch()
    nested = atomic.staging(folder)
    nested.__enter__()
    others = [tmp_path / "run[1]", tmp_path / ".run[1]-original", tmp_path / ".run1"]
    for path in others:
        path.mkdir()
    atomic.remove_leftovers(tmp_path / "run[1]")
    assert sorted(tmp_path.iterdir()) == sorted(others)
    for left in (nested, killed):
        left.__exit__(None, None, None)


PUBLISH = """
import os
import sys

from kerasseq.utils import atomic

output, text, renames, rename = sys.argv[1], sys.argv[2], int(sys.argv[3]), os.rename
names = ["model.tflite", "saved_model", "report.json"]


def count(*paths):
    global renames
    if not renames:
        os._exit(9)
    renames -= 1
    rename(*paths)


os.rename = count
with atomic.staging(output) as folder:
    for name in names:
        (folder / name).write_text(text)
    atomic.move_into(folder, output, names, ["model_int8.tflite"])
print(*names)
"""


def publish(output, text, renames):
    """In a process that is killed before one rename too many; the names that it had."""
    command = [sys.executable, "-c", PUBLISH, output, text, str(renames)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == (0 if done.stdout else 9), done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("renames", range(8))
def test_what_a_kill_interrupts_is_finished_at_the_next_start(tmp_path, renames):
    output = tmp_path / "run"
    names = publish(output, "old", 3)
    (output / "model_int8.tflite").touch()
    assert bool(publish(output, "new", renames)) == (renames == 7)
    atomic.remove_leftovers(output)
    found = {path.name: path.read_text() for path in output.iterdir()}
    assert found == dict.fromkeys(names, "new")
    assert os.listdir(tmp_path) == ["run"]


def test_a_full_disk_leaves_the_earlier_file(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError), atomic.replace_file(tmp_path / "a.bin", "wb") as f:
            f.write(bytes(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_folder_takes_no_files_place(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(ValueError, match="there is a file"):
        with atomic.replace_folder(tmp_path / "a"):
            pass
    assert (tmp_path / "a").read_text() == "mine"

import collections
import json
import os
import subprocess
import sys
import time

import pytest

import kerasseq
from kerasseq import cli
from tests.doctor.mutations import mutated

SECONDS = ("--time_limit", "120")
CODES = {"healthy": 0, "unhealthy": 1, "unreadable": 2}


class TestBasics:
    def test_text(self, files, capsys):
        assert cli.main(["doctor", str(files["loop"]), "--run", *SECONDS]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert not any(line.startswith("WHILE") for line in lines)
        assert lines[0].startswith("HEALTHY for cpu") and "no findings" in lines[0]
        assert (
            "signature     serve: x float32 (1, 5, 8) -> scores float32 (1, 2)" in lines
        )
        assert any(line.startswith("peak memory") for line in lines)
        assert max(map(len, lines)) <= 88 + len(str(files["loop"]))

    def test_unhealthy(self, files, capsys):
        arguments = ["doctor", str(files["loop"]), "--target", "gpu", *SECONDS]
        assert cli.main([*arguments, "--verbose"]) == 1
        text = capsys.readouterr().out
        assert text.startswith("UNHEALTHY for gpu")
        assert "gpu           serve: 0 of 2 ops" in text.splitlines()
        assert "WHILE x1" in text and "\ncpu           serve: " in text
        assert "latency" not in text

    def test_summary_comes_first(self, files, tmp_path, capsys):
        path, page = str(files["dynamic"]), tmp_path / "page.html"
        arguments = ["doctor", path, "--target", "microcontroller", "--html", str(page)]
        assert cli.main([*arguments, *SECONDS]) == 1
        text = capsys.readouterr().out
        lines = text.splitlines()
        assert lines[1].startswith("file") and lines[2].startswith("signature")
        starts = [line.split()[0] for line in lines[3:] if line[:1].strip()]
        assert starts == ["runtime", "arena", "error", "note"]
        assert "SOFTMAX" not in text.split("  where")[0] and "TANH" not in text
        content = page.read_text()
        assert content.startswith("<!doctype html>") and "<th>SOFTMAX<td>1" in content
        assert 'class="error">error' in content and "http" not in content

    def test_html_somewhere_else(self, files, tmp_path, capsys):
        (tmp_path / "file").write_text("")
        for place in (tmp_path, tmp_path / "file" / "a.html"):
            arguments = ["doctor", str(files["float32"]), "--html", str(place)]
            assert cli.main([*arguments, *SECONDS]) == 2
            assert "Received" in capsys.readouterr().err
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    def test_json(self, files, capsys):
        assert cli.main(["doctor", str(files["flex"]), "--json", *SECONDS]) == 1
        result = json.loads(capsys.readouterr().out)
        assert result["flex_ops"] == ["FlexCumprod"] and "run" not in result

    @pytest.mark.parametrize(
        "content, words",
        [
            (b"", "too short"),
            (b"\x89PNG\r\n\x1a\n" + bytes(99), "looks like a PNG image"),
            (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
            (b"\x10\0\0\0TFL3" + bytes(99), "damaged or truncated"),
            (None, "no file at this path"),
        ],
    )
    def test_unreadable(self, tmp_path, capsys, content, words):
        path = tmp_path / "a.tflite"
        if content is not None:
            path.write_bytes(content)
        assert cli.main(["doctor", str(path), *SECONDS]) == 2
        text = " ".join(capsys.readouterr().out.split())
        assert text.startswith("UNREADABLE") and words in text

    def test_nobody_reads_the_output(self, files):
        command = [sys.executable, "-m", "kerasseq.cli", "doctor", files["float32"]]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            process.stdout.close()
            assert "Traceback" not in process.stderr.read()
        assert process.returncode == 141

    def test_imports_neither_tensorflow_nor_keras(self, files):
        code = (
            "import sys\n"
            "from kerasseq import cli\n"
            "from kerasseq.doctor import child\n"
            'child.main(sys.argv[1], \'{"memory_limit": 2**40, "run": true}\')\n'
            "code = cli.main(['doctor', sys.argv[1], '--time_limit', '120'])\n"
            "unwanted = {'tensorflow', 'keras', 'jax'} & set(sys.modules)\n"
            "print(code, sorted(unwanted))"
        ).replace("2**40", str(2**40))
        output = subprocess.run(
            [sys.executable, "-c", code, str(files["float32"])],
            capture_output=True,
            text=True,
            check=True,
            cwd=os.path.dirname(os.path.dirname(kerasseq.__file__)),
        ).stdout
        assert '{"stage": "ran"' in output
        assert output.splitlines()[-1] == "0 []"


class TestErrors:
    def test_arguments(self, files, capsys):
        assert cli.main(["doctor", str(files["float32"]), "--time_limit", "-1"]) == 2
        assert "Received: time_limit=-1" in capsys.readouterr().err


def examine_damaged(path, capsys):
    """`(exit code, seconds)` of the command on a damaged file."""
    start = time.perf_counter()
    code = cli.main(["doctor", str(path), "--json", "--run"])
    seconds = time.perf_counter() - start
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert captured.err == ""
    assert code == CODES[result["status"]]
    errors = [f for f in result["findings"] if f["severity"] == "error"]
    assert bool(errors) == (code > 0)
    assert all(all(f.values()) for f in result["findings"])
    assert code == 2 or result["ops"] is not None
    assert seconds < 60  # It does not hang; the child's limit is 8 s.
    return code, seconds


def examine_many(files, seeds, tmp_path, capsys):
    """Counts of the exit codes; prints them with the longest time."""
    names = ("float32", "loop", "int8", "batch")
    codes, longest = collections.Counter(), 0.0
    path = tmp_path / "damaged.tflite"
    for seed in seeds:
        content = files[names[seed // 16 % len(names)]].read_bytes()
        path.write_bytes(mutated(content, seed))
        code, seconds = examine_damaged(path, capsys)
        codes[code] += 1
        longest = max(longest, seconds)
    with capsys.disabled():
        print(f"\n{dict(sorted(codes.items()))}, longest {longest:.1f} s")
    return codes


def test_damaged_files(files, tmp_path, capsys):
    codes = examine_many(files, range(0, 192, 8), tmp_path, capsys)
    assert codes.total() == 24


@pytest.mark.slow
def test_two_hundred_damaged_files(files, tmp_path, capsys):
    codes = examine_many(files, range(1000, 1200), tmp_path, capsys)
    assert codes.total() == 200 and codes[2] > 50

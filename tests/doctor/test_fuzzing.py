"""Damaged and random files harm neither a `Runner`, in a child, nor `doctor`."""

import collections
import json
import subprocess
import sys
import time

import pytest

from kerasseq import doctor
from tests.doctor import mutations
from tests.lite import hand_made

SECONDS = 60  # It hangs: a child has 5 s.


@pytest.fixture(scope="module")
def honest(files, tmp_path_factory):
    """Paths of whole files."""
    folder = tmp_path_factory.mktemp("honest")
    makers = (hand_made.classifier, hand_made.translator, hand_made.counter)
    made = [make(folder / f"{make.__name__}.tflite") for make in makers]
    return [files[name] for name in ("float32", "loop", "int8", "batch")] + made


def run_all(files, folder, first, number):
    """Counts of what a `Runner` made of damaged files, and which failed."""
    words = (sys.executable, "-m", "tests.doctor.fuzzing", first, number, folder)
    command = [str(word) for word in (*words, *files)]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(output.stdout)
    return collections.Counter(result["counts"]), result["failed"]


def examine_all(files, folder, first, number):
    """Counts of what `doctor` said of damaged files, and which took too long."""
    contents, path = [file.read_bytes() for file in files], folder / "damaged.tflite"
    counts, failed = collections.Counter(), {}
    for seed in range(first, first + number):
        path.write_bytes(mutations.any_of(contents, seed))
        start = time.perf_counter()
        target = ("cpu", "gpu", "int8", "microcontroller")[seed % 4]
        result = doctor.examine(path, target, True, time_limit=5)
        counts[result["status"]] += 1
        json.dumps(result)
        if time.perf_counter() - start > SECONDS:
            failed[seed] = time.perf_counter() - start
    return counts, failed


def test_runner(honest, tmp_path):
    counts, failed = run_all(honest, tmp_path, 0, 48)
    assert failed == {} and counts.total() == 48 and {*counts} == {"read", "refused"}


def test_doctor(honest, tmp_path):
    counts, failed = examine_all(honest, tmp_path, 0, 24)
    assert failed == {} and counts.total() == 24


@pytest.mark.slow
def test_two_thousand_in_the_runner(honest, tmp_path, capsys):
    counts, failed = run_all(honest, tmp_path, 10_000, 2000)
    with capsys.disabled():
        print(f"\n{dict(counts)}, failed {failed}")
    assert failed == {} and counts["read"] > 200 and counts["refused"] > 200


@pytest.mark.slow
def test_two_thousand_in_the_doctor(honest, tmp_path, capsys):
    counts, failed = examine_all(honest, tmp_path, 10_000, 2000)
    with capsys.disabled():
        print(f"\n{dict(counts)}, failed {failed}")
    assert failed == {} and counts["unreadable"] > 200

"""Examinations, and what they said."""

from kerasseq import doctor
from tests.export.rewriting import rewrite

PATIENT = {"time_limit": 120}  # on a machine that does much else


def examine(path, *arguments):
    return doctor.examine(path, *arguments, **PATIENT)


def said(result, text):
    """The one finding that says so."""
    found = [f for f in result["findings"] if text in f["what"]]
    assert len(found) == 1, result["findings"]
    assert all(found[0].values())
    return found[0]


def changed(files, tmp_path, change, name="float32"):
    return rewrite(files[name], tmp_path / "changed.tflite", change)

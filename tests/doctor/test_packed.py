"""What the doctor says about files packed into a file."""

import zipfile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq.doctor import page
from kerasseq.lite import packed_files
from tests.doctor.examined import examine, said
from tests.export.rewriting import rewrite
from tests.lite import hand_made

FILES = {"labels.json": b'["cat", "dog", "owl"]', "card.json": b"{}"}


@pytest.fixture
def path(tmp_path):
    path = hand_made.classifier(tmp_path / "model.tflite")
    packed_files.pack(path, FILES)
    return path


def with_metadata(path, content):
    """A file whose metadata are these bytes."""

    def change(model):
        entry, buffer = schema.MetadataT(), schema.BufferT()
        model.buffers.append(buffer)
        buffer.data = np.frombuffer(content, "uint8")
        entry.name, entry.buffer = b"TFLITE_METADATA", len(model.buffers) - 1
        model.metadata = [entry]

    return rewrite(hand_made.classifier(path), path, change)


def test_packed_files(path):
    result = examine(path)
    assert result["status"] == "healthy" and result["findings"] == []
    assert result["packed_files"] == [
        {"name": name, "bytes": len(content)} for name, content in FILES.items()
    ]
    line = "packed files  labels.json (21 bytes), card.json (2 bytes)"
    assert line in page.text(result).splitlines()


def test_none(tmp_path):
    result = examine(hand_made.classifier(tmp_path / "model.tflite"))
    assert result["packed_files"] == [] and result["status"] == "healthy"
    assert "packed files" not in page.text(result)


def test_cut_off(path):
    path.write_bytes(path.read_bytes()[:-10])
    result = examine(path)
    found = said(result, "list files that are not packed")
    assert found["where"] == "labels.json, card.json"
    assert result["status"] == "unhealthy" and result["runtime"]["loads"]
    assert result["packed_files"] == []


def test_damaged_content(path):
    path.write_bytes(path.read_bytes().replace(b'"owl"', b'"awl"'))
    result = examine(path)
    assert "CRC" in said(result, "packed into the file is damaged")["what"]
    assert result["status"] == "unhealthy"


def test_damaged_directory(path):
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    content = bytearray(path.read_bytes())
    content[start : start + 4] = b"none"
    path.write_bytes(content)
    assert said(examine(path), "packed into the file is damaged")


@pytest.mark.parametrize("content", [b"", b"old", b"\x0c\0\0\0M001" + 40 * b"\xff"])
def test_damaged_metadata(tmp_path, content):
    result = examine(with_metadata(tmp_path / "model.tflite", content))
    assert said(result, "The metadata are damaged")


def test_a_zip_that_the_metadata_do_not_list(tmp_path):
    path = hand_made.classifier(tmp_path / "model.tflite")
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.writestr("notes.txt", b"unrelated")
    path.write_bytes(path.read_bytes() + (tmp_path / "notes.zip").read_bytes())
    result = examine(path)
    assert result["status"] == "healthy"
    assert result["packed_files"] == [{"name": "notes.txt", "bytes": 9}]

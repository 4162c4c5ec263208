"""Files that hold `.tflite` files."""

import struct
import zipfile

import flatbuffers
import pytest

from kerasseq import cli
from kerasseq.doctor import page
from tests.doctor.examined import examine
from tests.lite import hand_made

_BLOCK = 16384


def _table(builder, *slots):
    """A table of `(kind, value)` by slot: an offset, a uint64 or a byte."""
    builder.StartObject(len(slots))
    for slot, (kind, value) in enumerate(slots):
        if kind == "offset":
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
        elif kind == "number":
            builder.PrependUint64Slot(slot, value, 0)
        else:
            builder.PrependUint8Slot(slot, value, 0)
    return builder.EndObject()


def _tables(builder, offsets):
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def bundle(path, sections):
    """A LiteRT-LM bundle of `(type, name, bytes)`, as LiteRT-LM 0.18 writes it."""
    builder, objects, body = flatbuffers.Builder(), [], b""
    for code, name, content in sections:
        value = _table(builder, ("offset", builder.CreateString(name)))
        key = builder.CreateString("model_type")
        item = _table(builder, ("offset", key), ("byte", 9), ("offset", value))
        items = _tables(builder, [item])
        begin = _BLOCK + len(body)
        ends = (("number", begin), ("number", begin + len(content)))
        objects.append(_table(builder, ("offset", items), *ends, ("byte", code)))
        body += content + bytes(-len(content) % _BLOCK)
    objects = _tables(builder, objects)
    metadata = _table(builder, ("offset", objects))
    builder.Finish(_table(builder, ("offset", 0), ("offset", metadata)))
    header = bytes(builder.Output())
    start = b"LITERTLM" + struct.pack("<IIIIQ", 1, 7, 0, 0, 32 + len(header))
    path.write_bytes((start + header).ljust(_BLOCK, b"\0") + body)
    return path


@pytest.fixture
def model(tmp_path):
    return hand_made.classifier(tmp_path / "model.tflite").read_bytes()


def test_bundle(tmp_path, model):
    sections = [(4, "words", b"tokens"), (3, "prefill_decode", model)]
    path = bundle(tmp_path / "a.litertlm", sections)
    result = examine(path)
    assert result["container"] == "a LiteRT-LM bundle"
    assert result["status"] == result["parts"][0]["status"] == "healthy"
    assert result["parts"][0]["signatures"].keys() == {"serve"}
    assert result["other_parts"] == [
        {"name": "words", "kind": "SentencePiece tokenizer", "num_bytes": 6}
    ]
    assert f"{path}: prefill_decode" in page.text(result)


def test_task(tmp_path, model, capsys):
    path = tmp_path / "a.task"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("TF_LITE_PREFILL_DECODE", model)
        archive.writestr("damaged.tflite", model[:300])
        archive.writestr("METADATA", b"x")
    result = examine(path)
    assert [part["status"] for part in result["parts"]] == ["healthy", "unreadable"]
    assert "unpacked" in result["findings"][0]["do"]
    assert cli.main(["doctor", str(path), "--time_limit", "120"]) == 2
    assert capsys.readouterr().out.startswith("UNREADABLE")


@pytest.mark.parametrize(
    "content, words, do",
    [
        (b"LITERTLM" + bytes(8192), "a LiteRT-LM bundle and is damaged", "Fetch it"),
        (b"PK\3\4" + bytes(99), "a ZIP archive and is damaged", "Fetch it"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS", "`git lfs pull`"),
        (b"\x01HEF" + bytes(99), "Hailo", "the `.tflite` it was made from"),
        (b"\x18\0\0\0ET12" + bytes(99), "ExecuTorch", "export from there"),
    ],
)
def test_others(tmp_path, content, words, do):
    path = tmp_path / "a.tflite"
    path.write_bytes(content)
    (found,) = examine(path)["findings"]
    assert words in found["what"] and do in found["do"]


def test_nothing_inside(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", b"{}")
    result = examine(tmp_path / "a.keras")
    assert result["status"] == "unreadable" and result["parts"] == []
    assert "nothing that it unpacks to" in result["findings"][0]["what"]

"""Subwords that give a running text back unchanged."""

import pytest

from kerasseq import data

TEXT = data.load_running_text().train[:20000]


@pytest.fixture(scope="module")
def subwords():
    return data.LosslessSubwords.train(TEXT, 500)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "",
        "    x  \n\n  ",
        "\tGrüße \N{SNOWMAN}\r\n\x85 \u2028 <0x0A> \x00",
        " ",
        "\n",
    ],
)
def test_a_text_comes_back_unchanged(subwords, text):
    assert subwords.decode(subwords.encode(text)) == text


def test_ids(subwords):
    ids = subwords.encode(TEXT)
    assert ids.dtype == "int32" and ids.min() > 0 and ids.max() < len(subwords) == 500
    assert len(ids) < len(TEXT) / 2
    assert subwords.decode([*ids[:5], -1, -1]) == subwords.decode(ids[:5])


def test_a_file_holds_all(subwords, tmp_path):
    subwords.save(tmp_path / "subwords.model")
    loaded = data.LosslessSubwords.load(tmp_path / "subwords.model")
    assert loaded.encode(TEXT).tolist() == subwords.encode(TEXT).tolist()


@pytest.mark.parametrize(
    "text, size, message",
    [
        (" \n", 300, "empty"),
        (TEXT, 256, "beside the 256 bytes. Received: vocabulary_size=256"),
        (TEXT, 2000, "at most"),
        (TEXT, 260, "at least"),
    ],
)
def test_bad_settings(text, size, message):
    with pytest.raises(ValueError, match=message):
        data.LosslessSubwords.train(text, size)


@pytest.mark.parametrize("content", [None, b"", b"no model"])
def test_bad_files(tmp_path, content):
    path = tmp_path / "subwords.model"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="subwords.model"):
        data.LosslessSubwords.load(path)

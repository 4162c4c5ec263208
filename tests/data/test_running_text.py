import pytest

from kerasseq import data


def test_fractions_are_cut_off_the_end(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffab\r\n".encode() + b"0123456789" * 10)
    text = data.load_running_text(str(path), validation_fraction=0.1, test_fraction=0.2)
    assert text.train.startswith("ab\n0123")
    assert [len(part) for part in text[1:]] == [72, 10, 21]
    assert "".join(text[1:]) == "ab\n" + "0123456789" * 10


def test_the_default_is_there_without_a_network():
    text = data.load_running_text(test_fraction=0)
    assert "The for statement" in text.train.replace('"', "")
    assert len(text.train) > 300_000 and text.test == ""


@pytest.mark.parametrize(
    "content, options, message",
    [
        (None, {}, "Cannot read"),
        (b"\xff\xfe\x00", {}, "UTF-16"),
        (b"", {}, "is empty"),
        (b"a", {}, "too short"),
        (b"abc", {"validation_fraction": 0.0}, "validation_fraction=0.0"),
        (b"abc", {"test_fraction": 0.99}, "test_fraction=0.99"),
    ],
)
def test_bad_text(content, options, message, tmp_path):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        data.load_running_text(str(path), **options)


def test_characters(tmp_path):
    characters = data.Characters("banana\n")
    assert characters.encode("nab\n").tolist() == [3, 1, 2, 0]
    assert characters.decode([2, 1, -1, 3]) == "ban"
    characters.save(tmp_path / "characters.json")
    again = data.Characters.load(tmp_path / "characters.json")
    assert again.characters == characters.characters and len(again) == 4
    with pytest.raises(ValueError, match="'xz'"):
        characters.encode("zx")
    with pytest.raises(ValueError, match="empty"):
        data.Characters("")
    (tmp_path / "characters.json").write_text("3")
    with pytest.raises(ValueError, match="damaged"):
        data.Characters.load(tmp_path / "characters.json")

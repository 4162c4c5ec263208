import pytest
import tensorflow_datasets as tfds

from kerasseq import data
from kerasseq.data import _tfds_builder

load = data.load_parallel_text


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def aligned(tmp_path):
    sources = write(tmp_path / "train.en", [f"A {i}" for i in range(40)])
    targets = write(tmp_path / "train.de", [f"B {i}" for i in range(40)])
    return f"{sources},{targets}"


@pytest.fixture
def tsv(tmp_path):
    return write(tmp_path / "held_out.tsv", ["One\tEins", "Two\tZwei"])


def test_aligned_files(aligned, tsv):
    text = load(aligned, validation_data=tsv, test_data=tsv)
    assert text.train == [(f"A {i}", f"B {i}") for i in range(40)]
    assert text.validation == text.test == [("One", "Eins"), ("Two", "Zwei")]
    assert text.name == aligned
    assert text.num_empty == 0


def test_lowercase(aligned, tsv):
    text = load(aligned, validation_data=tsv, lowercase=True)
    assert text.validation == [("one", "eins"), ("two", "zwei")]
    assert all(s.islower() and t.islower() for s, t in text.train + text.test)


def test_splits_five_percent_off(aligned):
    text = load(aligned)
    assert [len(split) for split in text[:3]] == [36, 2, 2]
    assert len({pair for split in text[:3] for pair in split}) == 40
    assert text == load(aligned)
    assert text.test != load(aligned, seed=1).test


def test_splits_off_only_what_is_missing(aligned, tsv):
    text = load(aligned, test_data=tsv)
    assert [len(split) for split in text[:3]] == [38, 2, 2]
    assert text.test[0] == ("One", "Eins")


def test_split_off_sources_do_not_stand_in_train(tmp_path):
    lines = [f"same {i % 10}\ttarget {i}" for i in range(100)]
    text = load(write(tmp_path / "all.tsv", lines))
    held_out = {source for source, _ in text.validation + text.test}
    assert len(text.validation) == len(text.test) == 5
    assert not held_out & {source for source, _ in text.train}
    assert len(text.train) == 100 - 10 * len(held_out)


def test_empty_sides_leave_train_only(tmp_path, caplog):
    lines = ["\tleer", " \tleer", "empty\t", *(f"a {i}\tb" for i in range(9))]
    path = write(tmp_path / "all.tsv", lines)
    text = load(path, validation_data=path, test_data=path)
    assert (len(text.train), len(text.test), text.num_empty) == (9, 12, 3)
    assert caplog.messages == [
        f"3 pair(s) of {name} have an empty side and are kept"
        for name in ("validation", "test")
    ]


def test_a_header_and_quotes(tmp_path, caplog):
    lines = ["Source\ttarget", '"a ""b"", c"\td', "e\tf"]
    path = write(tmp_path / "all.tsv", lines)
    text = load(path, validation_data=path, test_data=path)
    assert text.train == text.test == [('a "b", c', "d"), ("e", "f")]
    assert "line 1: taken for the names of the columns" in caplog.text


def test_line_ends_and_byte_order_mark(tmp_path):
    (tmp_path / "a").write_bytes("\ufeffa\u2028b\r\nc\r\n".encode())
    (tmp_path / "b").write_bytes(b"x\ny")
    pair = f"{tmp_path / 'a'},{tmp_path / 'b'}"
    text = load(pair, validation_data=pair, test_data=pair)
    assert text.train == [("a\u2028b", "x"), ("c", "y")]


def test_synthetic():
    text = load("synthetic", num_examples=40, target_locale="fr", seed=7)
    assert text == data.locale_phrases(40, "en", "fr", seed=7)


def test_malformed_tsv_names_file_and_line(tmp_path):
    no_tab = write(tmp_path / "no_tab.tsv", ["a\tb", "alone"])
    with pytest.raises(ValueError, match=r"no_tab.tsv', line 2.*1 column.*'alone'"):
        load(no_tab)
    wide = write(tmp_path / "wide.tsv", ["a\tb", "a\tb", "a\tb\tc"])
    with pytest.raises(ValueError, match=r"wide.tsv', line 3.*3 column"):
        load(wide)


def test_files_of_unequal_length_give_both_counts(tmp_path, aligned):
    short = write(tmp_path / "short.de", ["B"] * 3)
    with pytest.raises(ValueError, match=r"train.en' with 40.*short.de' with 3"):
        load(f"{aligned.split(',')[0]},{short}")


def test_unreadable_files(tmp_path, aligned):
    with pytest.raises(ValueError, match="nowhere.tsv.*No such file"):
        load(str(tmp_path / "nowhere.tsv"))
    with pytest.raises(ValueError, match="one TSV file, or two aligned files"):
        load("a,b,c")
    with pytest.raises(ValueError, match="blank.*is empty"):
        load(aligned, test_data=write(tmp_path / "blank", ["", ""]))
    (tmp_path / "latin").write_bytes("one\nGröße\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"UTF-8 at line 2, byte 6.*0xf6"):
        load(aligned, test_data=str(tmp_path / "latin"))


def test_too_few_pairs(tmp_path, tsv):
    with pytest.raises(ValueError, match="split off test and validation.*2 pairs"):
        load(tsv)
    alike = write(tmp_path / "alike.tsv", ["a\tb"] * 20)
    with pytest.raises(ValueError, match="all sources are equal.*20 pairs"):
        load(alike)


class TinyTranslate(tfds.core.GeneratorBasedBuilder):
    """Twenty pairs and no validation split."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.Translation(("en", "de")),
            supervised_keys=("en", "de"),
        )

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples(20),
            "test": self._generate_examples(2),
        }

    def _generate_examples(self, count):
        for i in range(count):
            yield i, {"en": f"a {i}", "de": f"ä {i}"}


class TinyNumbers(TinyTranslate):
    """Not text."""

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "en": tfds.features.Text(),
                    "de": tfds.features.Text(),
                }
            ),
        )


def test_tfds(tmp_path, monkeypatch):
    monkeypatch.setattr(_tfds_builder, "_has_network", lambda: True)
    text = load("tfds:tiny_translate", data_dir=str(tmp_path))
    assert [len(split) for split in text[:3]] == [19, 1, 2]
    assert sorted(text.test) == [("a 0", "ä 0"), ("a 1", "ä 1")]
    assert text.name == "tfds:tiny_translate"


def test_tfds_errors(tmp_path, monkeypatch):
    monkeypatch.setattr(_tfds_builder, "_has_network", lambda: False)
    with pytest.raises(ValueError, match="not prepared there, and there is no network"):
        load("tfds:tiny_numbers", data_dir=str(tmp_path))
    monkeypatch.setattr(_tfds_builder, "_has_network", lambda: True)
    with pytest.raises(ValueError, match="'tiny_numbers' is not parallel text"):
        load("tfds:tiny_numbers", data_dir=str(tmp_path))
    with pytest.raises(
        ValueError, match="Cannot load the TFDS data set 'no_such'"
    ) as e:
        load("tfds:no_such", data_dir=str(tmp_path))
    assert "\n" not in str(e.value)

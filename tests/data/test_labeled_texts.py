import json
import pathlib

import numpy as np
import pytest
import tensorflow_datasets as tfds

from kerasseq import data
from kerasseq.data import _tfds_builder

load = data.load_labeled_texts
SST2 = pathlib.Path(__file__).parents[3] / "shared/data/sst2"
PAIRS = [(f"text {i} of it", ("no", "yes")[i % 2]) for i in range(20)]


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def tsv(path, pairs=PAIRS):
    return write(path, ["\t".join(pair) for pair in pairs])


def everything(texts):
    """All texts with the names of their labels, whatever the split."""
    return sorted(
        (text, texts.class_names[label])
        for split in texts[2:]
        for text, label in zip(*split, strict=True)
    )


def sizes(texts):
    return [len(split[0]) for split in texts[2:]]


class TestFormats:
    def test_tsv_in_either_order(self, tmp_path):
        texts = load(tsv(tmp_path / "a.tsv"))
        assert everything(texts) == sorted(PAIRS)
        assert texts.class_names == ["no", "yes"]
        assert sizes(texts) == [16, 2, 2]
        turned = load(tsv(tmp_path / "b.tsv", [pair[::-1] for pair in PAIRS]))
        assert everything(turned) == sorted(PAIRS)

    def test_tsv_with_a_header_and_more_columns(self, tmp_path):
        rows = [(str(i), label, text) for i, (text, label) in enumerate(PAIRS)]
        path = tsv(tmp_path / "a.tsv", [("id", "label", "sentence"), *rows])
        assert everything(load(path)) == sorted(PAIRS)
        path = tsv(tmp_path / "b.tsv", rows)
        found = load(path, text_column="3", label_column=2)
        assert everything(found) == sorted(PAIRS)
        numbered = [
            (text, str(1 + number % 2)) for number, (text, _) in enumerate(PAIRS, 1)
        ]
        found = load(tsv(tmp_path / "c.tsv", numbered), label_column="2")
        assert everything(found) == sorted(numbered)  # a label "2" makes no header

    def test_csv(self, tmp_path):
        rows = [f'{i},"text {i}, ""so""\nand on",{i % 3}' for i in range(30)]
        path = write(tmp_path / "a.csv", ["id,Text,Category", *rows])
        texts = load(path)
        assert everything(texts)[0] == ('text 0, "so"\nand on', "0")
        named = load(path, text_column="Text", label_column="Category")
        assert everything(named) == everything(texts)

    @pytest.mark.parametrize("separator", ";\t")
    def test_csv_of_other_programs(self, tmp_path, separator):
        rows = [separator.join((f'"{text}, so"', label)) for text, label in PAIRS]
        path = write(tmp_path / "a.csv", [f"text{separator}label", *rows])
        assert everything(load(path)) == sorted((f"{x}, so", y) for x, y in PAIRS)

    def test_quotes_in_tsv(self, tmp_path):
        rows = [(f'"he said ""{text}"""', label) for text, label in PAIRS]
        found = everything(
            load(tsv(tmp_path / "a.tsv", [('"text"', '"label"'), *rows]))
        )
        assert found == sorted((f'he said "{x}"', y) for x, y in PAIRS)

    def test_labels_that_are_alike(self, tmp_path, caplog):
        pairs = [(f"text {k}", ("Yes", "yes", "1", "1.0")[k % 4]) for k in range(40)]
        assert load(tsv(tmp_path / "a.tsv", pairs)).class_names == [
            *("1", "1.0", "Yes", "yes")
        ]
        assert caplog.messages == [
            "the labels '1' and '1.0' are two classes",
            "the labels 'Yes' and 'yes' are two classes",
        ]

    def test_json_lines(self, tmp_path):
        keys = ("content", "stars")
        rows = [json.dumps({"id": [1], keys[0]: x, keys[1]: len(y)}) for x, y in PAIRS]
        path = write(tmp_path / "a.jsonl", rows)
        texts = load(path, label_column="stars")
        assert texts.class_names == ["2", "3"]
        assert [text for text, _ in everything(texts)] == sorted(x for x, _ in PAIRS)

    def test_integers_are_sorted_by_value(self, tmp_path):
        pairs = [(f"text {i}", str(8 + i % 3)) for i in range(30)]
        assert load(tsv(tmp_path / "a.tsv", pairs)).class_names == ["8", "9", "10"]

    def test_folders(self, tmp_path):
        for number, (text, label) in enumerate(PAIRS):
            write(tmp_path / "all" / label / f"{number}.txt", [text])
            for split in ("train", "test"):
                write(tmp_path / "two" / split / label / f"{number}.txt", [text])
        texts = load(tmp_path / "all")
        assert [(x.strip(), y) for x, y in everything(texts)] == sorted(PAIRS)
        assert sizes(load(tmp_path / "two")) == [18, 2, 20]

    def test_what_is_not_read_in_folders(self, tmp_path, caplog):
        for number, (text, label) in enumerate(PAIRS):
            write(tmp_path / "train" / label / f"{number}.TXT", [text])
        for name in ("._0.txt", "note.md", "sub/1.txt"):
            path = tmp_path / "train" / "no" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"\xff")
        write(tmp_path / "test" / "0.txt", ["unlabeled"])
        assert sizes(load(tmp_path)) == [16, 2, 2]
        assert caplog.messages == [
            f"{str(tmp_path)!r}: 1 file(s) or folder(s) there are not read: 'test'",
            f"{str(tmp_path / 'train')!r}: 3 file(s) or folder(s) there are not read: "
            "'no/._0.txt', 'no/note.md', 'no/sub'",
        ]

    def test_tables_of_splits(self, tmp_path):
        for name, pairs in (("train", PAIRS), ("dev", PAIRS[:4]), ("test", PAIRS[:6])):
            tsv(tmp_path / f"{name.title()}.TSV", pairs)
        texts = load(tmp_path)
        assert sizes(texts) == [20, 4, 6]
        again = load(
            tmp_path / "Train.TSV",
            validation_data=tmp_path / "Dev.TSV",
            test_data=tmp_path / "Test.TSV",
        )
        assert all(a[0] == b[0] for a, b in zip(texts[2:], again[2:], strict=True))

    @pytest.mark.skipif(not SST2.exists(), reason="the data are not there")
    def test_sst2(self):
        texts = load(SST2)
        assert sizes(texts) == [6920, 872, 1821] and texts.class_names == ["0", "1"]


class TestSplits:
    def test_what_is_held_out_is_not_in_train(self, tmp_path):
        pairs = [(f"text {i % 25}", ("no", "yes")[i % 25 % 2]) for i in range(200)]
        texts = load(tsv(tmp_path / "a.tsv", pairs))
        assert not {*texts.train[0]} & {*texts.validation[0], *texts.test[0]}

    def test_the_seed_decides(self, tmp_path):
        path = tsv(tmp_path / "a.tsv")
        assert load(path).test[0] == load(path).test[0] != load(path, seed=1).test[0]

    def test_generated(self):
        texts = load(num_examples=300)
        assert sizes(texts) == [240, 30, 30] and texts.name == "synthetic"
        assert texts.class_names == ["negative", "positive"]
        assert texts.train[1].dtype == "int32"


class TinyReviews(tfds.core.GeneratorBasedBuilder):
    """Twenty reviews, and a test split."""

    VERSION = tfds.core.Version("1.0.0")
    KEYS = ("text", "label")

    def _info(self):
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["neg", "pos"]),
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features), supervised_keys=self.KEYS
        )

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples(20),
            "test": self._generate_examples(4),
        }

    def _generate_examples(self, count):
        for number in range(count):
            yield number, {"text": f"text {count} {number}", "label": number % 2}


class TinyUnkeyedReviews(TinyReviews):
    """The same without keys."""

    KEYS = None


class TestTfds:
    @pytest.fixture(autouse=True)
    def network(self, monkeypatch):
        monkeypatch.setattr(_tfds_builder, "_has_network", lambda: True)

    def test_reviews(self, tmp_path):
        texts = load("tfds:tiny_reviews", data_dir=str(tmp_path))
        assert sizes(texts) == [18, 2, 4]
        assert texts.class_names == ["neg", "pos"]
        for split in texts[2:]:
            numbers = [int(text.split()[-1]) % 2 for text in split[0]]
            assert numbers == split[1].tolist()

    def test_columns(self, tmp_path):
        options = {"data_dir": str(tmp_path)}
        with pytest.raises(ValueError, match="with `text_column`.*text_column=None"):
            load("tfds:tiny_unkeyed_reviews", **options)
        options |= {"text_column": "text", "label_column": "label"}
        assert sizes(load("tfds:tiny_unkeyed_reviews", **options)) == [18, 2, 4]

    def test_what_is_not_prepared(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_tfds_builder, "_has_network", lambda: False)
        with pytest.raises(ValueError, match="imdb_reviews.*not prepared.*data_dir"):
            load("tfds:imdb_reviews", data_dir=str(tmp_path))


GOOD = ["text\tlabel", "fine\tyes", "bad\tno", "so fine\tyes", "so bad\tno"]
BAD = {
    "an empty text": ("a.tsv", [*GOOD, " \tno"], "a.tsv', line 6: the text is empty"),
    "an empty label": ("a.tsv", [*GOOD, "x\t "], "line 6: there is no label"),
    "a missing column": ("a.tsv", [*GOOD, "x"], "line 6: expected 2 columns"),
    "one column": ("a.txt", ["x", "y"], "line 1: a text and its label are two"),
    "a header alone": ("a.csv", ["text,label"], "a header and no rows"),
    "one class": ("a.tsv", ["a\tyes", "b\tyes"], "at least two classes"),
    "ragged": ("a.csv", ["text,label", "a,b", "c,d,e"], "line 3: expected 2 columns"),
    "quotes": ("a.csv", ["text,label", '"a,b', "c,d"], "line 2: no CSV from here on"),
    "no header": (
        "a.csv",
        ["fine,yes", "bad,no", "so fine,yes", "so bad,no"],
        "line 1: expected a header",
    ),
    "which columns": ("a.csv", ["a,b,c", "d,e,f"], "which columns hold the text"),
    "no JSON": ("a.jsonl", ['{"text": "a", "label": 1}', "{"], "line 2: expected one"),
    "a JSON list": ("a.json", ['["a", "b"]'], "line 1: expected a JSON object"),
    "a missing key": (
        "a.jsonl",
        ['{"text": "a", "label": 1}', '{"text": "b", "stars": 2}'],
        "line 2: the objects before have a key 'label'",
    ),
    "half a pair": (
        "a.jsonl",
        ['{"text": "a", "label": 1}', r'{"text": "b \ud83d", "label": 2}'],
        r"a.jsonl', line 2: half of a surrogate pair.*Received: \\ud83d in",
    ),
    "half a pair as a label": (
        "a.jsonl",
        ['{"text": "a", "label": ["\\udc00"]}'] * 2,
        "line 1: half of a surrogate pair",
    ),
    "null": ("a.jsonl", ['{"text": null, "label": 1}'] * 3, "line 1: the text is em"),
    "turned around": (
        "a.tsv",
        ["label\ttext", *(f"text {i}\t{i % 2}" for i in range(9))],
        "are they the other way around",
    ),
}


class TestErrors:
    @pytest.mark.parametrize("case", BAD)
    def test_files(self, tmp_path, case):
        name, lines, message = BAD[case]
        with pytest.raises(ValueError, match=message):
            load(write(tmp_path / name, lines))

    @pytest.mark.parametrize("split", ["validation_data", "test_data"])
    def test_a_label_that_train_does_not_have(self, tmp_path, split):
        other = tsv(tmp_path / "other.tsv", [*PAIRS[:4], ("odd", "maybe")])
        message = "other.tsv', line 5: no training text has this label.*'maybe'"
        with pytest.raises(ValueError, match=message):
            load(tsv(tmp_path / "a.tsv"), **{split: other})

    @pytest.mark.parametrize("given", [{}, {"text_column": 1, "label_column": "2"}])
    def test_a_header_with_unknown_names(self, tmp_path, given):
        path = tsv(tmp_path / "a.tsv", [("Tweet", "Feeling"), *PAIRS])
        for split in ("validation_data", "test_data"):
            given = {**given, split: tsv(tmp_path / f"{split}.tsv", [*PAIRS[:4]])}
            with pytest.raises(ValueError, match="a.tsv', line 1: no other line has"):
                load(path, **given)
            header = [("Tweet", "Feeling"), *PAIRS[:4]]
            given[split] = tsv(tmp_path / f"{split}.tsv", header)
        with pytest.raises(ValueError, match="line 1: no other line has.*'Feeling'"):
            load(path, **given)
        given |= {"text_column": "Tweet", "label_column": "Feeling"}
        assert sizes(load(path, **given)) == [20, 4, 4]

    def test_columns(self, tmp_path):
        path = write(tmp_path / "a.tsv", GOOD)
        for given in ({"text_column": "body"}, {"text_column": "3"}):
            with pytest.raises(ValueError, match="no such column; `text_column`"):
                load(path, **given)
        with pytest.raises(ValueError, match="which columns"):
            load(path, text_column="text", label_column="text")

    def test_no_file(self, tmp_path):
        with pytest.raises(ValueError, match="Cannot read.*absent"):
            load(str(tmp_path / "absent.tsv"))

    def test_not_utf8(self, tmp_path):
        (tmp_path / "a.tsv").write_bytes(b"fine\tyes\n\xff\tno\n")
        with pytest.raises(ValueError, match="a.tsv' is not UTF-8 at line 2"):
            load(tmp_path / "a.tsv")

    def test_folders(self, tmp_path):
        with pytest.raises(ValueError, match="holds no class folders"):
            load(tmp_path)
        write(tmp_path / "yes" / "a.txt", ["fine"])
        (tmp_path / "no").mkdir()
        with pytest.raises(ValueError, match="no' holds no .txt file"):
            load(tmp_path)
        (tmp_path / "no" / "b.txt").touch()
        with pytest.raises(ValueError, match="b.txt' is empty"):
            load(tmp_path)

    def test_too_few(self, tmp_path):
        with pytest.raises(ValueError, match="at least 3 different texts.*no: 2, yes"):
            load(tsv(tmp_path / "a.tsv", PAIRS[:4]))

    def test_fractions(self):
        with pytest.raises(ValueError, match="validation_fraction=0.6"):
            load(validation_fraction=0.6, test_fraction=0.5)

    def test_fractions_that_leave_too_few(self, tmp_path):
        path = tsv(tmp_path / "a.tsv")
        message = "2 classes must be in validation .*lower `validation_fraction`"
        with pytest.raises(ValueError, match=message):
            load(path, validation_fraction=0.9, test_fraction=0.05)


class TestReviews:
    def test_words_alone_tell_nothing(self):
        texts, labels = data.generated_reviews(4000)
        assert len({*texts}) == 4000 and 0.45 < labels.mean() < 0.55
        words = data.Words.train(texts).words
        for word in words:
            has = np.array([word in data.split_words(text) for text in texts])
            if has.sum() > 100:
                assert 0.3 < labels[has].mean() < 0.7, word

    @pytest.mark.parametrize("num", [0, 10**6])
    def test_bad_number(self, num):
        with pytest.raises(ValueError, match=f"num={num}"):
            data.generated_reviews(num)

    def test_the_last_statement_decides_after_but(self):
        texts, labels = data.generated_reviews(20_000)
        good = ("was lovely", "was superb", "was great")
        pairs = zip(texts, labels, strict=True)
        found = [y for x, y in pairs if ", but" in x and x.rstrip(".!").endswith(good)]
        assert len(found) > 5 and all(found)


def test_training_texts_that_are_also_held_out_are_told(tmp_path, caplog):
    texts = load(tsv(tmp_path / "a.tsv", PAIRS * 2))
    left_out = 2 * len(PAIRS) - sum(sizes(texts))
    assert left_out > 0 and not {*texts.train[0]} & {*texts.test[0]}
    assert caplog.messages == [
        f"{left_out} training texts are left out, which are among those split off for "
        "test and validation too"
    ]

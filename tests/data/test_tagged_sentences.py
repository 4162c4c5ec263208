import collections

import pytest

from kerasseq import data

CONLLU = """# text = I don't.
1\tI\ti\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVB\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\t_
3.1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_

# text = #1
1\t#1\t#1\tSYM\tNN\t_\t0\troot\t_\t_
"""
COLUMNS = "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\n"
CSV = """Sentence #,Word,POS,Tag
Sentence: 1,London,NNP,B-geo
,"1,000",CD,O
Sentence: 2,.,.,O
"""


def load(tmp_path, text, name="data.txt", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    options = {"validation_data": path, "test_data": path} | options
    return data.load_tagged_sentences(str(path), **options)


def test_conllu(tmp_path):
    found = load(tmp_path, CONLLU)
    assert found.train == [
        (["I", "do", "n't"], ["PRON", "AUX", "PART"]),
        (["#1"], ["SYM"]),
    ]
    assert found.train == found.validation == found.test
    xpos = load(tmp_path, CONLLU, tag_column="XPOS")
    assert xpos.train[0][1] == ["PRP", "VB", "RB"]
    assert xpos.tags == ["NN", "PRP", "RB", "VB"]


def test_conllu_without_some_tags(tmp_path, caplog):
    text = CONLLU + "\n1\ta\ta\tDET\t_\t_\t2\tdet\t_\t_\n2\tb\tb" + "\t_" * 7 + "\n"
    path = tmp_path / "a.conllu"
    found = load(tmp_path, text, path.name)
    assert found.train == load(tmp_path, CONLLU).train
    said = f"{str(path)!r}: 1 sentence(s) with a word of which upos is _ are left out"
    assert caplog.messages == [said] * 3
    # Features are a column that a word may leave empty.
    feats = text.replace("PRP\t_", "PRP\tCase=Nom")
    found = load(tmp_path, feats, path.name, tag_column="feats")
    assert found.tags == ["Case=Nom", "_"] and len(found.train) == 3
    with pytest.raises(ValueError, match="no sentence has a tag other than _ for each"):
        load(tmp_path, text.replace("PRP", "_").replace("NN", "_"), tag_column="xpos")


def test_columns(tmp_path):
    found = load(tmp_path, COLUMNS)
    assert found.train == [(["EU", "rejects"], ["B-ORG", "O"]), (["Peter"], ["B-PER"])]
    found = load(tmp_path, COLUMNS, tag_column=2)
    assert found.train[0][1] == ["NNP", "VBZ"]
    tabs = "New York\tNOUN\r\nis\tVERB\r\n\r\n\r\n# 1\tSYM\r\n"
    found = load(tmp_path, tabs, tag_column="2")
    assert found.train == [(["New York", "is"], ["NOUN", "VERB"]), (["# 1"], ["SYM"])]


def test_csv(tmp_path):
    found = load(tmp_path, CSV, "ner.csv")
    assert found.train == [(["London", "1,000"], ["B-geo", "O"]), (["."], ["O"])]
    found = load(tmp_path, CSV, "ner.csv", tag_column="pos")
    assert found.train[0][1] == ["NNP", "CD"]
    assert load(tmp_path, CSV, "ner.csv", tag_column=3) == found
    found = load(tmp_path, CSV.replace("1,000", "1000").replace(",", ";"), "ner.csv")
    assert found.train[0] == (["London", "1000"], ["B-geo", "O"])


def test_splits_are_cut_off_and_unseen(tmp_path):
    text = "".join(f"w{k % 40}\tA\nx\tB\n\n" for k in range(60))
    found = load(tmp_path, text, validation_data=None, test_data=None, seed=3)
    assert len(found.validation) == len(found.test) == 6
    held_out = {tuple(words) for words, _ in [*found.validation, *found.test]}
    assert not held_out & {tuple(words) for words, _ in found.train}
    again = load(tmp_path, text, validation_data=None, test_data=None, seed=3)
    assert again == found


def test_fractions(tmp_path):
    text = "".join(f"w{k}\t{'AB'[k % 2]}\n\n" for k in range(60))
    options = {"validation_data": None, "test_data": None}
    fractions = {"validation_fraction": 0.05, "test_fraction": 0.3}
    found = load(tmp_path, text, **options, **fractions)
    assert [len(found.train), len(found.validation), len(found.test)] == [39, 3, 18]
    with pytest.raises(ValueError, match="validation_fraction=0"):
        load(tmp_path, text, **options, validation_fraction=0)


@pytest.mark.parametrize("seed", range(12))
def test_a_tag_that_is_split_off_stays_in_train(tmp_path, seed, caplog):
    lines = [f"w{k}\tA\nx\t{'RARE' if k == 7 else 'B'}\n\n" for k in range(30)]
    options = {"validation_data": None, "test_data": None, "seed": seed}
    found = load(tmp_path, "".join(lines), **options)
    assert found.tags == ["A", "B", "RARE"]
    assert sum(map(len, found[1:])) == 30
    plain = load(tmp_path, "".join(lines).replace("RARE", "B"), **options)
    moved = {words[0] for words, _ in found.train} - {x[0] for x, _ in plain.train}
    assert moved <= {"w7"} and caplog.messages == [
        "1 sentence(s) stay in train, since no other has their tags: RARE"
    ] * len(moved)
    for name in ("validation", "test"):
        words = [x for x, _ in getattr(plain, name) if x[0] not in moved]
        assert [x for x, _ in getattr(found, name)] == words


def test_a_part_of_which_all_would_stay_in_train(tmp_path):
    text = "".join(f"w{k}\tA\nx\tB{k}\n\n" for k in range(12))
    with pytest.raises(ValueError, match=r"split off for test: .*the tags B\d+, B\d+ "):
        load(tmp_path, text, validation_data=None, test_data=None)


def test_a_header_of_two_columns(tmp_path, caplog):
    found = load(tmp_path, "word\ttag\n\na\tX\nb\tY\n", "a.tsv")
    assert found.train == [(["a", "b"], ["X", "Y"])]
    assert "line 1: taken for the names of the columns: word, tag" in caplog.text
    text = "# newdoc id = 1\nText NER\na X\n# text = a\nb Y\n# Z\n"
    found = load(tmp_path, text)
    assert found.train == [(["a"], ["X"]), (["b", "#"], ["Y", "Z"])]


def test_what_may_be_a_header_is_told(tmp_path, caplog):
    rows = "".join(f"w{k} {'AB'[k % 2]}\n" for k in range(20))
    load(tmp_path, rows)
    assert not caplog.text
    load(tmp_path, f"form category\n{rows}")
    assert "taken for the word 'form' with the tag 'category'" in caplog.text


def test_quotes_of_a_spreadsheet(tmp_path):
    found = load(tmp_path, '"a ""b"""\tX\n""""\tY\n', "a.tsv")
    assert found.train == [(['a "b"', '"'], ["X", "Y"])]


def test_a_generated_word_alone_does_not_tell_its_sense():
    found = data.load_tagged_sentences(num_examples=2000)
    counts = collections.defaultdict(collections.Counter)
    for words, tags in found.train:
        assert len(words) == len(tags)
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += tag != "O"
    senses = {word: c for word, c in counts.items() if sum(c.values())}
    assert {"apple", "bank", "bat"} <= senses.keys()
    for counter in senses.values():
        (_, first), (_, second) = counter.most_common(2)
        assert 0.48 < first / (first + second) < 0.62
    assert data.load_tagged_sentences(num_examples=50, seed=1) != (
        data.load_tagged_sentences(num_examples=50, seed=2)
    )


@pytest.mark.parametrize(
    "text, name, message",
    [
        (CONLLU.replace("\tPRON", " PRON"), "a.conllu", "line 2: expected ten columns"),
        (CONLLU.replace("1\tI", "one\tI"), "a.conllu", "line 2: the first column"),
        ("a\tX\nb\n", "a.tsv", r"line 2: expected 2 columns.*1 column"),
        ("a\tX\n\n\tY\n", "a.tsv", "line 3: the word is missing"),
        ("a\nb\n", "a.txt", "line 1: expected 2 columns"),
        (CSV.replace(",CD", ""), "a.csv", "line 3: expected 4 columns.*3 column"),
        (CSV.replace("Word", "Form_"), "a.csv", "line 1: a column is missing for the"),
        ("Sentence,word,tag\n", "a.csv", "holds no sentence"),
        (CSV.replace(".,.", '.,"'), "a.csv", "line 4: no CSV from here on"),
        (CSV.replace("London", '"').replace('"1', '1"'), "a.csv", "line 2: a quote op"),
        ("word,tag\na,X\n", "a.csv", "of the sentence; call it sentence or .*_idx. R"),
        (CSV.replace("POS", "tag"), "a.csv", "two columns are called tag; rename one,"),
        (CONLLU.replace("\n\n", "\n"), "a.conllu", "line 8: the numbers of words grow"),
        ("# only a comment\n", "a.conllu", "holds no sentence"),
        ("a\tX\nb\tX\n", "a.tsv", "at least two tags"),
        ("", "a.tsv", "is empty"),
    ],
)
def test_malformed_files(text, name, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load(tmp_path, text, name)


def test_tag_columns_that_are_not_there(tmp_path):
    for text, name, column, message in (
        (CONLLU, "a.conllu", "form", "one of lemma, upos"),
        (COLUMNS, "a.txt", "ner", "a number from 2 on"),
        (COLUMNS, "a.txt", 7, "line 3: expected 7 columns"),
        (CSV, "a.csv", "chunk", "call it chunk, or name another"),
    ):
        with pytest.raises(ValueError, match=message):
            load(tmp_path, text, name, tag_column=column)


def test_a_tag_that_training_does_not_have(tmp_path):
    test = tmp_path / "test.tsv"
    test.write_text("a\tX\n\nb\tZ\n")
    with pytest.raises(ValueError, match=r"test.tsv', sentence 2: .*'Z' of the word"):
        load(tmp_path, "a\tX\nb\tY\n", test_data=test)


def test_too_few_sentences_and_other_kinds_of_data(tmp_path):
    with pytest.raises(ValueError, match="Too few sentences.*Received: 1 in"):
        load(tmp_path, "a\tX\nb\tY\n", test_data=None)
    with pytest.raises(ValueError, match="all are alike"):
        load(tmp_path, "a\tX\nb\tY\n\n" * 20, test_data=None, validation_data=None)
    with pytest.raises(ValueError, match="tensorflow-datasets is to be written"):
        data.load_tagged_sentences("tfds:conll2003")
    with pytest.raises(ValueError, match="Cannot read 'nowhere.conllu'"):
        data.load_tagged_sentences("nowhere.conllu")
    with pytest.raises(ValueError, match="num=0"):
        data.load_tagged_sentences(num_examples=0)


def test_training_sentences_that_are_also_held_out_are_told(tmp_path, caplog):
    lines = [f"w{number}\t{'XY'[number % 2]}\n" for number in range(20)] * 2
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(lines))
    found = data.load_tagged_sentences(path)
    left_out = 40 - sum(map(len, (found.train, found.validation, found.test)))
    assert left_out > 0 and f"{left_out} training sentences are left out" in caplog.text

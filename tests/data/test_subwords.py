import json
import re

import keras_nlp
import numpy as np
import pytest

from kerasseq.data import subwords

SENTENCES = [
    f"the {a} {b} sees {n} cats"
    for a in ("red", "old")
    for b in ("fox", "dog")
    for n in (1, 23, 456)
] + ["Größe zählt?"]


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("subwords") / "new" / "subwords.model"
    subwords.train_subwords(SENTENCES, 30, path)
    return path


@pytest.fixture(scope="module")
def tokenizer(model_path):
    return subwords.load_subwords(model_path)


def test_special_ids_and_size(tokenizer):
    assert tokenizer.vocab_size() == 30
    names = [tokenizer.id_to_piece(i) for i in range(4)]
    assert names == ["<pad>", "<unk>", "<s>", "</s>"]


def test_only_the_model_is_written(model_path):
    assert [path.name for path in model_path.parent.iterdir()] == ["subwords.model"]


def test_encode_is_what_the_tokenizer_does_and_decode_undoes_it(tokenizer):
    encoded = subwords.encode_sentences(tokenizer, iter(SENTENCES))
    assert encoded == tokenizer.encode(SENTENCES)
    assert all(type(i) is int and i > 3 for ids in encoded for i in ids)
    assert subwords.decode_ids(tokenizer, encoded) == SENTENCES
    assert subwords.encode_sentences(tokenizer, []) == []


def test_keras_nlp_reads_the_model(tokenizer, model_path):
    peer = keras_nlp.tokenizers.SentencePieceTokenizer(proto=model_path.read_bytes())
    assert peer(SENTENCES) == subwords.encode_sentences(tokenizer, SENTENCES)


def test_each_digit_is_a_piece_of_its_own(tokenizer):
    pieces = [tokenizer.id_to_piece(i) for i in range(30)]
    assert not [p for p in pieces if sum(map(str.isdigit, p)) > 1]


def test_decode_stops_at_end_and_drops_padding_and_start(tokenizer):
    fox, dog = subwords.encode_sentences(tokenizer, ["the fox", "the dog"])
    row = [0, 2, *fox, 3, *dog, 3, 0]
    assert subwords.decode_ids(tokenizer, row) == "the fox"
    assert subwords.decode_ids(tokenizer, np.array([row, row])) == ["the fox"] * 2
    assert subwords.decode_ids(tokenizer, [[3, *dog], []]) == ["", ""]
    assert subwords.decode_ids(tokenizer, []) == []


def test_save_vocabulary(tokenizer, tmp_path):
    path = tmp_path / "vocabulary.json"
    subwords.save_vocabulary(tokenizer, path, lowercase=True, source_length=16)
    saved = json.loads(path.read_text("utf-8"))
    assert saved["pieces"] == [tokenizer.id_to_piece(i) for i in range(30)]
    assert len(saved["scores"]) == 30
    keys = ("pad", "unknown", "start", "end", "lowercase", "source_length")
    assert [saved[key] for key in keys] == [0, 1, 2, 3, True, 16]
    with pytest.raises(ValueError, match=r"choose other names. Received: \['pad'\]"):
        subwords.save_vocabulary(tokenizer, path, pad=7)


def test_training_is_quiet(capfd, tmp_path):
    subwords.train_subwords(SENTENCES, 30, tmp_path / "m.model")
    captured = capfd.readouterr()
    # TensorFlow's logging library may say once that it is not set up yet.
    lines = [line for line in captured.err.splitlines() if "absl::Init" not in line]
    assert captured.out == "" and lines == []


def test_errors_state_the_bound(tmp_path):
    path = tmp_path / "m.model"
    with pytest.raises(ValueError, match=r"at most (\d+) .*vocabulary_size=9000"):
        subwords.train_subwords(SENTENCES, 9000, path)
    with pytest.raises(ValueError, match=r"at least (\d+), one piece a character"):
        subwords.train_subwords(SENTENCES, 10, path)
    with pytest.raises(ValueError, match="larger than the 4 special pieces"):
        subwords.train_subwords(SENTENCES, 4, path)
    with pytest.raises(ValueError, match="without text"):
        subwords.train_subwords(["", " "], 40, path)
    assert not path.exists()


def test_the_stated_bounds_work(tmp_path):
    path = tmp_path / "m.model"
    for size in (9000, 10):
        with pytest.raises(ValueError) as caught:
            subwords.train_subwords(SENTENCES, size, path)
        words = str(caught.value).replace(",", "").split()
        bound = next(int(word) for word in words if word.isdigit())
        assert subwords.train_subwords(SENTENCES, bound, path)


def test_load_errors(tmp_path):
    with pytest.raises(ValueError, match=r"No such file.*train one first"):
        subwords.load_subwords(tmp_path / "missing.model")
    (tmp_path / "bad.model").write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"is no SentencePiece model.*11 bytes"):
        subwords.load_subwords(tmp_path / "bad.model")
    (tmp_path / "empty.model").write_bytes(b"")
    with pytest.raises(ValueError, match="is no SentencePiece model"):
        subwords.load_subwords(tmp_path / "empty.model")


@pytest.mark.parametrize("size", [5, 9000])
def test_a_size_that_the_text_does_not_allow_becomes_the_nearest(tmp_path, size):
    path = tmp_path / "subwords.model"
    with pytest.raises(ValueError, match=r"at (?:most|least) \d+") as refused:
        subwords.train_subwords(SENTENCES, size, path)
    bound = int(re.search(r"at (?:most|least) (\d+)", str(refused.value))[1])
    tokenizer = subwords.train_subwords(SENTENCES, size, path, fit_size=True)
    assert tokenizer.vocab_size() == bound

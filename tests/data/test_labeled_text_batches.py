import numpy as np
import pytest

from kerasseq import data

IDS = [np.arange(2, 2 + n) for n in (3, 1, 9, 4, 2, 5, 7)]
LABELS = np.array([0, 1, 2, 0, 1, 2, 0])


def batches(**options):
    given = {"lengths": [4, 8], "num_classes": 3, "batch_size": 2} | options
    return data.LabeledTextBatches(IDS, LABELS, **given)


def all_rows(found):
    """The rows of an epoch that count, as (tokens, label)."""
    rows = []
    for index in range(len(found)):
        for tokens, target, weight in zip(*found[index], strict=True):
            if weight:
                rows.append((tuple(tokens[tokens > 0].tolist()), target.argmax()))
    return sorted(rows)


class TestLengths:
    def test_each_halves_what_is_left(self):
        rows = [[1] * n for n in (1, 2, 3, 4, 5, 6, 7, 30)]
        assert data.choose_lengths(rows, 3) == [8, 32]
        assert data.choose_lengths(rows, 3, multiple=1) == [5, 7, 30]
        assert data.choose_lengths(rows, 1, max_length=10) == [10]

    @pytest.mark.parametrize("options", [{"num_lengths": 0}, {"max_length": 0}])
    def test_errors(self, options):
        with pytest.raises(ValueError, match="Lengths need texts"):
            data.choose_lengths([[1]], **options)
        with pytest.raises(ValueError, match="0 texts"):
            data.choose_lengths([])


class TestBasics:
    def test_shapes(self):
        found = batches()
        assert found.shapes == [(2, 4), (2, 8)]
        assert {found[i][0].shape for i in range(len(found))} == {*found.shapes}
        assert [part.dtype for part in found[0]] == ["int32", "float32", "float32"]
        assert (found.num_texts, found.num_cut, len(found)) == (7, 1, 4)

    def test_every_text_once_and_cut_at_its_end(self):
        expected = sorted(
            (tuple(row[:8].tolist()), label)
            for row, label in zip(IDS, LABELS, strict=True)
        )
        assert all_rows(batches()) == expected
        assert all_rows(batches(shuffle=False, batch_size=5)) == expected

    def test_tokens_in_batch(self):
        found = batches()
        counted = [found.tokens_in_batch(i) for i in range(len(found))]
        assert sum(counted) == 3 + 1 + 8 + 4 + 2 + 5 + 7

    def test_the_epoch_decides(self):
        first, again, other = batches(), batches(), batches(epoch=1)
        for index in range(len(first)):
            np.testing.assert_equal(first[index], again[index])
        differ = [np.any(first[i][1] != other[i][1]) for i in range(len(first))]
        assert any(differ)

    def test_class_weights(self):
        found = batches(class_weights={0: 0.5, 1: 2.0})
        for index in range(len(found)):
            _, targets, weights = found[index]
            expected = np.array([0.5, 2.0, 1.0])[targets.argmax(axis=1)]
            assert np.all((weights == expected) | (weights == 0))


class TestWordDropout:
    def test_words_become_unknown_and_padding_stays(self):
        ids = [np.full(100, 7)] * 50 + [np.full(60, 7)]
        options = {"lengths": [100], "num_classes": 1, "batch_size": 51}
        labels = np.zeros(51, int)
        found = data.LabeledTextBatches(
            ids, labels, word_dropout=0.2, shuffle=False, **options
        )
        tokens = found[0][0]
        assert {*np.unique(tokens)} == {0, 1, 7}
        assert np.mean(tokens[:50] == 1) == pytest.approx(0.2, abs=0.03)
        assert np.all(tokens[50, 60:] == 0)
        np.testing.assert_array_equal(found[0][0], tokens)


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"batch_size": 0}, "batch_size=0"),
            ({"lengths": [4, 4]}, r"growing.*lengths=\[4, 4\]"),
            ({"lengths": []}, r"lengths=\[\]"),
            ({"word_dropout": 1.0}, "word_dropout=1.0"),
            ({"num_classes": 2}, "from 0 to 2, num_classes=2"),
        ],
    )
    def test_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            batches(**options)

    def test_data(self):
        options = {"lengths": [4], "num_classes": 3, "batch_size": 2}
        with pytest.raises(ValueError, match=r"7 texts, labels of shape \(6,\)"):
            data.LabeledTextBatches(IDS, LABELS[:6], **options)
        with pytest.raises(ValueError, match=r"ids\[1\]"):
            data.LabeledTextBatches([[5], []], np.array([0, 1]), **options)

import numpy as np
import pytest
from keras import ops

from kerasseq import decoding
from kerasseq.decoding import random_numbers

LOGITS = np.log([0.5, 0.25, 0.15, 0.06, 0.04]).astype("float32")


def array(x):
    return np.asarray(ops.convert_to_numpy(x))


def constant(tokens, states):
    """A step that always has the same logits."""
    return ops.zeros_like(ops.one_hot(tokens, 5)) + LOGITS, None, states


def cycle(tokens, states):
    """A step that strongly wants the token after the last, and counts its calls."""
    return 50 * ops.one_hot((tokens + 1) % 5, 5), None, [states[0] + 1]


def draw(rows=1, length=20, prompt=None, step=constant, seeds=None, **options):
    prompt = np.zeros((rows, 1), "int32") if prompt is None else np.array(prompt)
    seeds = np.arange(len(prompt)) if seeds is None else np.array(seeds)
    states = [np.zeros((len(prompt), 1), "float32")]
    found = decoding.sample(
        step,
        ops.convert_to_tensor(prompt, "int32"),
        [ops.convert_to_tensor(state) for state in states],
        length,
        ops.convert_to_tensor(seeds, "int32"),
        **options,
    )
    return {name: array(x) for name, x in found.items()}


def rates(tokens):
    return np.bincount(tokens.ravel(), minlength=5) / tokens.size


class TestRandomNumbers:
    def test_algorithm_as_183(self):
        state = [[1, 2, 3]]
        numbers = []
        for _ in range(3):
            number, state = random_numbers.uniform(ops.convert_to_tensor(state))
            numbers.append(float(number[0]))
        x, y, z, expected = 1, 2, 3, []
        for _ in range(3):
            x, y, z = 171 * x % 30269, 172 * y % 30307, 170 * z % 30323
            expected.append((x / 30269 + y / 30307 + z / 30323) % 1)
        np.testing.assert_allclose(numbers, expected, atol=1e-6)

    def test_even_and_independent(self):
        state, numbers = random_numbers.start(np.arange(-500, 500)), []
        for _ in range(50):
            number, state = random_numbers.uniform(state)
            numbers.append(array(number))
        numbers = np.stack(numbers)
        assert 0 <= numbers.min() and numbers.max() < 1
        counts, _ = np.histogram(numbers, 20, (0, 1))
        chi_squared = np.sum((counts - 2500) ** 2 / 2500)
        assert chi_squared < 43.8  # 0.1 % of 19 degrees of freedom
        pairs = [(numbers[1:], numbers[:-1]), (numbers[:, 1:], numbers[:, :-1])]
        for a, b in pairs:
            assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02

    def test_extreme_seeds(self):
        seeds = [0, -1, 2**31 - 1, -(2**31)]
        state = array(random_numbers.start(np.array(seeds, "int32")))
        assert (state >= 1).all() and (state < random_numbers.MODULI).all()
        assert len(np.unique(state, axis=0)) == 4


class TestDistribution:
    def test_plain(self):
        found = rates(draw(400, 51)["tokens"][:, 1:])
        np.testing.assert_allclose(found, np.exp(LOGITS), atol=0.01)

    def test_temperature(self):
        found = rates(draw(400, 51, temperature=2.0)["tokens"][:, 1:])
        expected = np.exp(LOGITS / 2)
        np.testing.assert_allclose(found, expected / expected.sum(), atol=0.01)

    @pytest.mark.parametrize(
        "options, kept",
        [
            ({"top_k": 2}, [0.5, 0.25, 0, 0, 0]),
            ({"top_k": 9}, np.exp(LOGITS)),
            ({"top_p": 0.8}, [0.5, 0.25, 0.15, 0, 0]),
            ({"top_p": 0.4}, [1, 0, 0, 0, 0]),
            ({"top_k": 2, "top_p": 0.5}, [0.5, 0, 0, 0, 0]),
        ],
    )
    def test_filters(self, options, kept):
        found = rates(draw(400, 51, **options)["tokens"][:, 1:])
        np.testing.assert_allclose(found, kept / np.sum(kept), atol=0.01)
        assert np.all(found[np.array(kept) == 0] == 0)

    def test_score_is_that_of_the_model(self):
        found = draw(3, 9, temperature=0.5, top_k=3)
        expected = LOGITS[found["tokens"][:, 1:]].sum(axis=1)
        np.testing.assert_allclose(found["scores"], expected, rtol=1e-5)


class TestSeeds:
    def test_a_row_is_a_function_of_its_seed(self):
        many, one = draw(9, 30)["tokens"], draw(1, 30, seeds=[4])["tokens"]
        np.testing.assert_array_equal(many[4], one[0])
        assert len(np.unique(many, axis=0)) == 9


class TestPrompts:
    def test_are_kept_and_gone_on_from_their_end(self):
        prompt = [[3, 1, 2], [4, -1, -1]]
        tokens = draw(prompt=prompt, step=cycle, length=6)["tokens"]
        assert tokens.tolist() == [[3, 1, 2, 3, 4, 0], [4, 0, 1, 2, 3, 4]]

    def test_scores_leave_them_out(self):
        np.testing.assert_allclose(
            draw(prompt=[[3, 1, 2]], step=cycle, length=6)["scores"], 0, atol=1e-5
        )

    def test_end(self):
        prompt = [[1, 3, 3], [2, -1, -1]]
        tokens = draw(prompt=prompt, step=cycle, length=7, end_id=4)["tokens"]
        assert tokens.tolist() == [[1, 3, 3, 4, -1, -1, -1], [2, 3, 4, -1, -1, -1, -1]]


class TestRepetition:
    def test_penalty(self):
        found = draw(2000, 3, prompt=np.full((2000, 1), 1), repetition_penalty=2.0)
        logits = LOGITS.copy()
        logits[1] *= 2  # below 0
        expected = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(rates(found["tokens"][:, 1:2]), expected, atol=0.03)

    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_no_sequence_comes_twice(self, size):
        length = {1: 5, 2: 6, 3: 8}[size]  # so short that a way is left
        for row in draw(200, length, no_repeat_ngram=size)["tokens"]:
            grams = np.lib.stride_tricks.sliding_window_view(row, size)
            assert len(np.unique(grams, axis=0)) == len(grams)


def test_the_likeliest_alone_is_greedy_search():
    generator = np.random.default_rng(0)
    table = ops.convert_to_tensor(generator.normal(size=(5, 5)).astype("float32"))

    def step(tokens, states):
        return ops.take(table, tokens, axis=0), None, states

    start = np.arange(5).astype("int32")
    found = draw(prompt=start[:, None], step=step, length=9, top_k=1)
    expected = decoding.greedy_search(
        step, ops.convert_to_tensor(start), [], 8, end_id=-5
    )
    np.testing.assert_array_equal(found["tokens"][:, 1:], expected["tokens"])
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"temperature": 0}, "temperature=0"),
        ({"temperature": -1.0}, "greedy_search"),
        ({"top_k": 0}, "top_k=0"),
        ({"top_p": 0.0}, "top_p=0.0"),
        ({"top_p": 1.5}, "top_p=1.5"),
        ({"repetition_penalty": 0}, "repetition_penalty=0"),
        ({"no_repeat_ngram": -1}, "no_repeat_ngram=-1"),
        ({"prompt": np.zeros((1, 20))}, "leave room.*max_length=20"),
        ({"prompt": np.zeros((1, 0))}, "must have at least one token"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        draw(**options)


def test_forbidden_tokens_leave_the_scores_finite():
    logits = np.array([[0.0, -np.inf, 0.0, 0.0]] * 2, "float32")
    result = decoding.sample(
        lambda tokens, states: (ops.convert_to_tensor(logits), None, states),
        np.full((2, 1), 2, "int32"),
        [np.zeros((2, 1), "float32")],
        5,
        seeds=np.arange(2, dtype="int32"),
    )
    assert not (np.asarray(result["tokens"]) == 1).any()
    np.testing.assert_allclose(result["scores"], 4 * np.log(1 / 3), rtol=1e-5)


def test_padding_inside_the_vocabulary_has_not_occurred():
    options = {"step": constant, "length": 3, "repetition_penalty": 50.0}
    inside = draw(prompt=[[1, 0]] * 40, pad_id=0, **options)["tokens"]
    outside = draw(prompt=[[1, -1]] * 40, **options)["tokens"]
    np.testing.assert_array_equal(inside, outside)
    assert (inside[:, 1] == 0).any()

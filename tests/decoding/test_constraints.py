"""What a search must take and may not, against a slow search in plain Python."""

import jax_process
import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import decoding, export, lite, models

END, PAD, SIZE, LENGTH, BEAMS = 3, 0, 11, 6, 3
TABLE = np.random.default_rng(0).normal(0, 2, (SIZE, SIZE)).astype("float32")
DRIFT = np.random.default_rng(1).normal(0, 1, (LENGTH, SIZE)).astype("float32")
CONSTRAINTS = {
    "nothing": {},
    "min_length": {"min_length": 4},
    "penalty": {"repetition_penalty": 3.0},
    "bonus": {"repetition_penalty": 0.5},
    "forbidden": {"forbidden_tokens": [4, 7, END]},
    "prefix": {"forced_prefix": [[5, 8], [9, -1]]},
    "same prefix": {"forced_prefix": [10, 10, 2]},
    "ended prefix": {"forced_prefix": [5, END, 7]},
    "all": {
        "min_length": 3,
        "repetition_penalty": 1.7,
        "forbidden_tokens": (6,),
        "forced_prefix": [[6, 5], [1, -1]],
    },
}
SOURCE = np.array([[5, 6, 7, 3, 0], [8, 3, 0, 0, 0]])


def step(tokens, states):
    drift = ops.take(DRIFT, ops.cast(states[0], "int32"), axis=0)
    return ops.take(TABLE, tokens, axis=0) + drift, None, [states[0] + 1]


def choices(tokens, time, min_length=0, repetition_penalty=1, forbidden_tokens=()):
    """`(token, log probability)` of all that may come."""
    logits = TABLE[tokens[-1] if tokens else 2].astype("float64") + DRIFT[time]
    for token in set(tokens):
        if logits[token] > 0:
            logits[token] /= repetition_penalty
        else:
            logits[token] *= repetition_penalty
    log_probs = logits - np.log(np.exp(logits).sum())
    return [
        (token, log_probs[token])
        for token in range(SIZE)
        if token not in forbidden_tokens and not (token == END and time < min_length)
    ]


def slow_search(beam_size, power, forced_prefix=(), **options):
    """The hypotheses of one row, best first: `(score, tokens)`."""
    beam = [(0.0, [])]

    def rank(hypothesis):
        return hypothesis[0] / ((5 + len(hypothesis[1])) / 6) ** power

    for time in range(LENGTH):
        found = []
        for total, tokens in beam:
            if END in tokens:
                found.append((total, tokens))
            elif time < len(forced_prefix):
                found.append((total, [*tokens, forced_prefix[time]]))
            else:
                allowed = choices(tokens, time, **options)
                found += [(total + gain, [*tokens, token]) for token, gain in allowed]
        beam = sorted(found, key=rank, reverse=True)[:beam_size]
    return [(rank(h), h[1] + [PAD] * (LENGTH - len(h[1]))) for h in beam]


def of_row(constraints, row):
    prefix = constraints.get("forced_prefix", [])
    prefix = prefix[row] if np.ndim(prefix) == 2 else prefix
    return constraints | {"forced_prefix": [x for x in prefix if x >= 0]}


@pytest.mark.parametrize("constraints", CONSTRAINTS.values(), ids=CONSTRAINTS)
@pytest.mark.parametrize("power", [0.0, 0.6])
def test_beam_search(constraints, power):
    rows = 2 * BEAMS
    result = decoding.beam_search(
        step,
        np.full((rows,), 2),
        [np.zeros((rows,), "float32")],
        LENGTH,
        beam_size=BEAMS,
        length_penalty=power,
        **constraints,
    )
    for row in range(2):
        expected = slow_search(BEAMS, power, **of_row(constraints, row))
        count = len(expected)  # of a prefix that ends there is one
        tokens = [tokens for _, tokens in expected]
        scores = [score for score, _ in expected]
        np.testing.assert_array_equal(result["tokens"][row][:count], tokens)
        np.testing.assert_allclose(result["scores"][row][:count], scores, atol=1e-4)


@pytest.mark.parametrize("constraints", CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_greedy_search(constraints):
    result = decoding.greedy_search(
        step, np.full((2,), 2), [np.zeros((2,), "float32")], LENGTH, **constraints
    )
    for row in range(2):
        ((score, tokens),) = slow_search(1, 0.0, **of_row(constraints, row))
        np.testing.assert_array_equal(result["tokens"][row], tokens)
        np.testing.assert_allclose(result["scores"][row], score, atol=1e-4)


@pytest.fixture(scope="module")
def model():
    model = models.seq2seq(SIZE, embedding_dim=8, units=8, cell="gru", seed=0)
    generator = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(generator.normal(0, 1.0, weight.shape))
    return model


def test_translator_under_xla(model):
    """With a prefix for each row, ids in NumPy's default type, and unknown ones."""
    options = CONSTRAINTS["all"] | {"beam_size": BEAMS, "forced_prefix": None}
    prefix = np.array(CONSTRAINTS["all"]["forced_prefix"])
    translator = decoding.Translator(model, LENGTH, **options)
    inputs = {"source": SOURCE, "prefix": prefix}
    found = translator.predict(inputs, verbose=0)
    eager = translator(inputs)
    np.testing.assert_array_equal(found["tokens"], eager["tokens"])
    assert (found["tokens"][0, :, :2] == prefix[0]).all()
    assert (found["tokens"][1, :, 0] == 1).all()
    outside = SOURCE.copy()
    outside[0, :2] = [SIZE, -7]
    unknown = np.where(outside == SOURCE, SOURCE, 1)
    both = [{"source": x, "prefix": prefix} for x in (outside, unknown)]
    first, second = (translator.predict(x, verbose=0) for x in both)
    np.testing.assert_array_equal(first["scores"], second["scores"])


@pytest.mark.slow
def test_an_exported_file(model, tmp_path):
    options = {k: v for k, v in CONSTRAINTS["all"].items() if k != "forced_prefix"}
    table = decoding.translation_signatures(
        model, 5, LENGTH, BEAMS, prefix_length=2, **options
    )
    prefix = np.array([[6, 5]], "int32")
    source = np.where(SOURCE[:1] == 7, 99, SOURCE[:1]).astype("int32")
    inputs = {"source": source, "prefix": prefix}
    report = export.export_model(
        model,
        tmp_path,
        signatures=lambda twin: decoding.translation_signatures(
            twin, 5, LENGTH, BEAMS, prefix_length=2, **options
        ),
        samples={"greedy": [inputs], "beam": [inputs]},
    )
    assert report["artifacts"][0]["flex_ops"] == []
    runner = lite.Runner(tmp_path / "model.tflite")
    for name in ("greedy", "beam"):
        expected = table[name][0](**inputs)["tokens"]
        found = runner.run(name, **inputs)["tokens"]
        np.testing.assert_array_equal(found, expected)
        assert (found.reshape(-1, LENGTH)[:, :2] == prefix).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"min_length": 7}, "between 0 and `max_length`. Received: min_length=7"),
        ({"repetition_penalty": 0.0}, "above 0.*Received: repetition_penalty=0.0"),
        ({"forbidden_tokens": [-1]}, "0 to 10. Received: .-1."),
        ({"forbidden_tokens": [11]}, "`forbidden_tokens` must hold ids"),
        ({"forced_prefix": [11]}, "`forced_prefix` must hold ids"),
        ({"forced_prefix": [1] * 7}, "no more than `max_length` ids"),
        ({"forced_prefix": 5}, "must have the shape"),
    ],
)
def test_bad_arguments(options, message):
    states = [np.zeros((2,), "float32")]
    with pytest.raises(ValueError, match=message):
        decoding.greedy_search(step, np.full((2,), 2), states, LENGTH, **options)
    with pytest.raises(ValueError, match=message):
        decoding.beam_search(
            step, np.full((2,), 2), states, LENGTH, beam_size=1, **options
        )


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="this is the other half"
)
def test_all_of_it_holds_on_jax():
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    result = jax_process.run(*command)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout

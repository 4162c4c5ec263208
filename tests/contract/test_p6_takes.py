"""P6: takes what others feed: any batch, types, precision and length, under XLA."""

import contextlib
import os

import catalog
import catalog_sequence
import catalog_state_space
import catalog_texts
import catalog_transformer
import catalog_vision
import jax_process
import keras
import numpy as np
import pytest
from contract import load_and_run

QUICK = {"AttentionDecoder-additive"}
# Of the table in a process: all of it in one would meet the limit of memory maps.
PART, PARTS = "KERASSEQ_PART_OF_CATALOG", 3
LENGTHS = [
    (catalog, ("TIME", "SOURCE")),
    (catalog_texts, ("TOKENS",)),
    (catalog_vision, ("TOKENS",)),
    (catalog_transformer, ("TOKENS", "MEMORY")),
    (catalog_sequence, ("WORDS",)),
    (catalog_state_space, ("TIME",)),
]
TOLERANCES = {"float64": 1e-5, "mixed_float16": 0.005, "mixed_bfloat16": 0.05}
ONE_LENGTH = {"GridPositions"}  # that of its grid
# As in stock Keras; bfloat16 runs.
NO_HALF_ON_JAX = {"MultiHeadAttention", "vit-mean", "captioner-vit"}
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="this is the other half"
)


def entries(quick):
    """The entries, or a part of them as the environment says."""
    kept = catalog.keeping("P6")
    if PART in os.environ:
        kept = kept[int(os.environ[PART]) :: PARTS]
    return [
        pytest.param(
            *p.values, id=p.id, marks=[pytest.mark.own_process] * (p.id not in quick)
        )
        for p in kept
    ]


def model_of_length(entry, length, monkeypatch):
    """The model of an entry whose sequences have this length; `None` for any."""
    with monkeypatch.context() as patch:
        for module, names in LENGTHS:
            for name in () if entry.covers in ONE_LENGTH else names:
                patch.setattr(module, name, length)
        return entry.model()


def of_length(names, inputs, length):
    """Inputs that go on periodically, or end earlier."""
    return {
        name: x[:, np.arange(length) % x.shape[1]] if name in names else x
        for name, x in inputs.items()
    }


def as_numpy_makes_them(inputs):
    wide = {"i": "int64", "f": "float64"}
    return {name: x.astype(wide[x.dtype.kind]) for name, x in inputs.items()}


def targets(model, inputs):
    return np.zeros(load_and_run.run(model, inputs).shape)


def batches(inputs, labels):
    """Two rows and one, as a `tf.data.Dataset` and as arrays on JAX."""
    if keras.backend.backend() == "jax":
        return {"x": inputs, "y": labels, "batch_size": 2}
    import tensorflow as tf

    return {
        "x": tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(2),
        "shuffle": False,
    }


@pytest.mark.parametrize("entry", entries(QUICK))
def test_other_batches_types_and_lengths(entry, monkeypatch):
    model, inputs = model_of_length(entry, None, monkeypatch), entry.inputs()
    wide = as_numpy_makes_them(inputs)
    free = {name for name, x in model.input.items() if x.shape[1] is None}
    for length in (9, 1) if free else ():
        fixed = model_of_length(entry, length, monkeypatch)
        found = model.predict(of_length(free, wide, length), 2, verbose=0)
        expected = load_and_run.run(fixed, of_length(free, inputs, length))
        np.testing.assert_allclose(found, expected, atol=1e-5)

    model.compile("sgd", "mse", jit_compile=True)
    history = model.fit(**batches(wide, targets(model, inputs)), epochs=2, verbose=0)
    assert model.jit_compile and np.isfinite(history.history["loss"]).all()
    assert all(np.isfinite(w).all() for w in model.get_weights())


@contextlib.contextmanager
def precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    keras.config.set_floatx("float64" if policy == "float64" else "float32")
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("policy", TOLERANCES)
@pytest.mark.parametrize("entry", entries(set()))
def test_other_precisions(entry, policy):
    if policy == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 unless asked for")
    if policy == "mixed_float16" and entry.id in NO_HALF_ON_JAX:
        if keras.backend.backend() == "jax":
            pytest.skip("jax.nn.dot_product_attention has no float16 on a CPU")
    inputs = entry.inputs()
    expected = load_and_run.run(entry.model(), inputs)
    with precision(policy):
        check(entry.model(), inputs, expected, policy)


def check(model, inputs, expected, policy):
    """The outputs, and that it trains under XLA with a smaller last batch."""
    kept = "float64" if policy == "float64" else "float32"
    assert {w.dtype for w in model.trainable_weights} == {kept}
    found = load_and_run.run(model, inputs).astype("float64")
    scale = max(1, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, atol=TOLERANCES[policy] * scale)
    model.compile("sgd", "mse", jit_compile=True)
    history = model.fit(**batches(inputs, 0 * expected), verbose=0)
    assert model.jit_compile and np.isfinite(history.history["loss"]).all()


def run_others(selection, **variables):
    """Runs the other tests of this file, each part of the table in its own process."""
    command = ["-m", "pytest", "-q", "-m", "", "-p", "no:cacheprovider", __file__]
    command += ["-k", f"{selection} and not all_of_it"]
    for part in range(PARTS):
        result = jax_process.run(
            *command, timeout=3600, **variables | {PART: str(part)}
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert " passed" in result.stdout


@pytest.mark.slow
@on_tensorflow
@pytest.mark.parametrize("selection", ["types_and_lengths", *TOLERANCES])
def test_all_of_it(selection):
    run_others(selection, KERAS_BACKEND="tensorflow", XLA_FLAGS="")


@pytest.mark.slow
@on_tensorflow
def test_all_of_it_holds_on_jax():
    run_others("test_other")

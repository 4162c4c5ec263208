"""Flags of clipping, weight decay and initializers: what they build and refuse."""

import keras
import numpy as np
import pytest
from absl import flags as absl_flags

from recipes.shared import optimizer_flags


def parsed(*arguments, **defaults):
    flags = absl_flags.FlagValues()
    optimizer_flags.define_optimizer_flags(flags, **defaults)
    optimizer_flags.define_cell_flags(flags)
    cells = ("lstm", "gru", "simple_rnn")
    absl_flags.DEFINE_enum("cell", "lstm", cells, "Cell.", flag_values=flags)
    flags(["recipe", *arguments])
    return flags


def clipping(*arguments, **defaults):
    optimizer = optimizer_flags.make_optimizer(parsed(*arguments, **defaults), 0.1)
    return optimizer.clipvalue, optimizer.clipnorm, optimizer.global_clipnorm


def test_each_flag_is_one_kind_of_clipping():
    assert clipping() == (None, None, None)
    assert clipping("--clip_value=2") == (2, None, None)
    assert clipping("--clip_norm=2") == (None, 2, None)
    assert clipping("--clip_global_norm=2") == (None, None, 2)


def test_a_default_is_turned_off_with_zero():
    assert clipping(clip_global_norm=1.0) == (None, None, 1)
    assert clipping("--clip_global_norm=0", clip_global_norm=1.0) == (None, None, None)
    both = ("--clip_value=2", "--clip_global_norm=0")
    assert clipping(*both, clip_global_norm=1.0) == (2, None, None)


def test_two_kinds_of_clipping_are_refused():
    with pytest.raises(ValueError, match="--clip_value=2.0 --clip_global_norm=1.0"):
        clipping("--clip_value=2", clip_global_norm=1.0)
    with pytest.raises(ValueError, match="with --clip_norm=0"):
        clipping("--clip_value=2", "--clip_norm=1")


def test_numbers_below_zero_are_refused():
    with pytest.raises(absl_flags.IllegalFlagValueError):
        parsed("--weight_decay=-1")


@pytest.mark.parametrize("jit_compile", [False, True])
def test_weight_decay_spares_biases_and_norms(jit_compile):
    """With a gradient of zero, only the decay moves the weights."""
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.LayerNormalization()]
    )
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    optimizer = optimizer_flags.make_optimizer(parsed("--weight_decay=0.5"), 0.1)
    model.compile(optimizer, lambda y, x: keras.ops.sum(x) * 0, jit_compile=jit_compile)
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 4)))
    weights = {w.name: np.asarray(w) for w in model.trainable_weights}
    assert sorted(weights) == ["beta", "bias", "gamma", "kernel"]
    np.testing.assert_allclose(weights.pop("kernel"), 1 - 0.1 * 0.5, rtol=1e-6)
    for weight in weights.values():
        np.testing.assert_array_equal(weight, 1)


def test_cell_options():
    assert optimizer_flags.cell_options(parsed()) == {
        "kernel_initializer": "glorot_uniform",
        "recurrent_initializer": "orthogonal",
        "unit_forget_bias": True,
    }
    options = optimizer_flags.cell_options(
        parsed("--noforget_bias", "--kernel_initializer=he_normal")
    )
    assert options["unit_forget_bias"] is False
    assert options["kernel_initializer"] == "he_normal"


@pytest.mark.parametrize("name", optimizer_flags.RECURRENT_INITIALIZERS)
def test_keras_knows_the_initializers(name):
    assert keras.initializers.get(name)((4, 4)).shape == (4, 4)


def test_flags_are_checked_before_any_work():
    optimizer_flags.check(parsed("--clip_value=1"))
    for wrong in ("--clip_norm=2", "--recurrent_initializer=identity"):
        with pytest.raises(ValueError, match=wrong.split("=")[0]):
            optimizer_flags.check(parsed("--clip_value=1", wrong))


def test_identity_is_for_square_matrices():
    identity = "--recurrent_initializer=identity"
    options = optimizer_flags.cell_options(parsed(identity, "--cell=simple_rnn"))
    assert options["recurrent_initializer"] == "identity"
    with pytest.raises(ValueError, match="--cell=gru. Use orthogonal"):
        optimizer_flags.cell_options(parsed(identity, "--cell=gru"))

"""Flags of the optimizer: what they build and refuse."""

import keras
import numpy as np
import pytest
from absl import flags as absl_flags

from kerasseq import layers
from recipes.shared import optimizer_flags


def parsed(*arguments, **defaults):
    flags = absl_flags.FlagValues()
    defaults = {"learning_rate": 0.1, "patience": 3, "clip_global_norm": 0} | defaults
    optimizer_flags.define_flags(flags, **defaults)
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


def undecayed(weights):
    """Names of the weights that stay as they are where the gradient is zero."""
    optimizer = optimizer_flags.make_optimizer(parsed("--weight_decay=0.5"), 0.1)
    for weight in weights:
        weight.assign(np.ones(weight.shape))
    optimizer.apply([keras.ops.zeros(w.shape) for w in weights], weights)
    return {w.name for w in weights if (keras.ops.convert_to_numpy(w) == 1).all()}


def test_weight_decay_spares_the_time_scales_of_state_space_models():
    x = inputs = keras.Input((6, 4))
    for layer in (layers.Mamba(4), layers.Mamba2(4, head_dim=2), layers.S4D(4)):
        x = layer(x)
    weights = keras.Model(inputs, x).trainable_weights
    spared = undecayed(weights)
    assert spared >= {"a_log", "skip", "delta_bias", "frequency", "delta_log", "scale"}
    assert {w.name for w in weights} - spared == {"kernel", "output_weights"}


def test_weight_decay_spares_no_weight_for_a_part_of_its_name():
    names = ("skip_kernel", "data_log", "frequency_kernel", "a_logits")
    weights = [keras.Variable(np.ones(2, "float32"), name=name) for name in names]
    assert undecayed(weights) == set()


@pytest.mark.parametrize("name", optimizer_flags.UNDECAYED)
def test_weight_decay_spares_no_layer_for_its_name(name):
    """On TensorFlow, Keras looks at the path of a weight."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name=name)])
    assert undecayed(model.trainable_weights) == {"bias"}


def test_flags_are_checked_before_any_work():
    optimizer_flags.check(parsed("--clip_value=1"))
    with pytest.raises(ValueError, match="--clip_norm"):
        optimizer_flags.check(parsed("--clip_value=1", "--clip_norm=2"))


def test_moving_average():
    assert not optimizer_flags.make_optimizer(parsed(), 0.1).use_ema
    optimizer = optimizer_flags.make_optimizer(parsed(ema=0.9), 0.1)
    assert (optimizer.use_ema, optimizer.ema_momentum) == (True, 0.9)


def test_the_schedule_warms_up_and_decays():
    schedule = optimizer_flags.cosine_schedule(parsed("--warmup_steps=10"), steps=100)
    rates = [float(schedule(step)) for step in (0, 10, 55, 100)]
    assert rates == pytest.approx([0.01, 0.1, 0.051, 0.002], rel=1e-5)


@pytest.mark.parametrize("warmup_steps, peak", [(0, 0), (1000, 50)])
def test_short_runs_and_none_to_warm_up(warmup_steps, peak):
    flags = parsed(f"--warmup_steps={warmup_steps}")
    schedule = optimizer_flags.cosine_schedule(flags, steps=100)
    assert float(schedule(peak)) == pytest.approx(0.1, rel=1e-5)

"""Flags of the recurrent cell: what they become and refuse."""

import keras
import pytest
from absl import flags as absl_flags

from kerasseq import layers
from recipes.shared import cell_flags


def parsed(*arguments):
    flags = absl_flags.FlagValues()
    cell_flags.define_flags(flags, "lstm")
    flags(["recipe", *arguments])
    return flags


def test_options():
    assert cell_flags.options(parsed()) == {
        "kernel_initializer": None,
        "recurrent_initializer": None,
        "unit_forget_bias": True,
    }
    options = cell_flags.options(
        parsed("--noforget_bias", "--kernel_initializer=he_normal")
    )
    assert options["unit_forget_bias"] is False
    assert options["kernel_initializer"] == "he_normal"


@pytest.mark.parametrize("name", cell_flags.RECURRENT_INITIALIZERS)
def test_keras_knows_the_initializers(name):
    assert keras.initializers.get(name)((4, 4)).shape == (4, 4)


@pytest.mark.parametrize("name", layers.CELLS)
def test_every_cell_can_be_asked_for(name):
    cell_flags.check(parsed(f"--cell={name}"))


def test_an_unknown_cell_is_refused_with_the_names_of_all():
    with pytest.raises(ValueError, match="irnn, .*lstm, .*Received: --cell=rnn"):
        cell_flags.check(parsed("--cell=rnn"))


def test_identity_is_for_square_matrices():
    identity = "--recurrent_initializer=identity"
    cell_flags.check(parsed(identity, "--cell=simple_rnn"))
    with pytest.raises(ValueError, match="--cell=gru. Use orthogonal"):
        cell_flags.check(parsed(identity, "--cell=gru"))


def test_the_flag_that_names_the_cell_may_have_another_name():
    flags = absl_flags.FlagValues()
    cell_flags.define_start_flags(flags)
    absl_flags.DEFINE_string("arch", "bigru", "", flags)
    flags(["recipe", "--recurrent_initializer=identity"])
    with pytest.raises(ValueError, match="--arch=bigru. Use orthogonal"):
        cell_flags.check_start(flags, "arch", "gru")
    cell_flags.check_start(flags, "arch", "irnn")

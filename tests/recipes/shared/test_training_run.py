"""What a resumed run must have in common with the run before."""

import numpy as np
from absl import flags as absl_flags

from recipes.shared import command_line, training_run


def fingerprint(*arguments, contents=(b"text",), free=()):
    flags = command_line.new_flags("demo", epochs=1, batch_size=2)
    absl_flags.DEFINE_string("note", "", "Own flag.", flag_values=flags)
    flags(["recipe", *arguments])
    return training_run.fingerprint(flags, contents, free)


def test_the_fingerprint_holds_settings_and_data_but_not_places():
    first = fingerprint()
    assert first["batch_size"] == 2 and len(first["data"]) == 16
    assert "output_dir" not in first and "resume" not in first
    places = (
        "--output_dir=x",
        "--data=y",
        "--data_dir=z",
        "--resume",
        "--noembed_files",
    )
    assert fingerprint(*places) == first
    assert fingerprint("--batch_size=3") != first
    assert fingerprint("--note=x") != first
    assert fingerprint("--note=x", free=["note"]) == fingerprint(free=["note"])
    assert fingerprint(contents=[b"other"]) != first


def test_arrays_are_fingerprinted_by_content():
    array = np.arange(6, dtype="uint8").reshape(2, 3)
    first = fingerprint(contents=[array])
    assert fingerprint(contents=[array.T.copy().T]) == first
    assert fingerprint(contents=[array + 1]) != first

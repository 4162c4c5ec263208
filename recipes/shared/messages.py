"""Errors of the library in the terms of a command: its flags, and what to do next."""

import errno
import os
import pathlib
import re

from absl import flags as absl_flags

STATE = "run/state.npz"
# What a user or the machine can be at fault for.
_EXPECTED = (ValueError, FloatingPointError, OSError, ImportError, MemoryError)
_EXPECTED += (absl_flags.Error,)
_EXPECTED += (RuntimeError,)  # a child process that failed; JAX without memory
_NO_MEMORY = "ResourceExhaustedError"  # TensorFlow's, which need not be imported
# Arguments whose flags have other names.
_FLAGS = {
    "clipnorm": "clip_norm",
    "clipvalue": "clip_value",
    "global_clipnorm": "clip_global_norm",
    "num_buckets": "buckets",
    "num_channels": "channels",
    "max_words": "vocab_size",
    "num_lengths": "buckets",
    "unit": "tokenizer",
    "vocabulary_size": "vocab_size",
}
_USES = ("from", "translate", "prompt", "images", "tag", "classify", "history")
_QUOTED = re.compile(r"`(\w+)(=[^`]*)?`")
_RECEIVED = re.compile(r"(?<![\w`'\"/.-])(\w+)=(?=[^=\s])")
_PLAIN = re.compile(r"=[\w.]+")


def is_expected(error):
    """Whether an error is to be told in one message, rather than a fault of ours."""
    return isinstance(error, _EXPECTED) or type(error).__name__ == _NO_MEMORY


def in_flags(error, flags):
    """The message of an error, with flags in place of arguments.

    Args:
        error: An exception.
        flags: The flags of the recipe. What is none of them stays as it is.

    Returns:
        A string.
    """

    def quoted(match):
        flag, value = _flag(match[1], flags), match[2] or ""
        value = value if _PLAIN.fullmatch(value) else ""
        return f"--{flag}{value}" if flag else match[0]

    def received(match):
        flag = _flag(match[1], flags)
        return f"--{flag}=" if flag else match[0]

    return _RECEIVED.sub(received, _QUOTED.sub(quoted, _explained(error)))


def next_step(flags):
    """What to do after a run that was ended."""
    if not flags.is_parsed() or "epochs" not in flags or _uses_a_file(flags):
        return "run it again"
    if pathlib.Path(flags.output_dir, STATE).exists():
        return "the same command with --resume goes on where it stood"
    return "nothing was saved yet; the same command begins anew"


def _uses_a_file(flags):
    return any(name in flags and flags[name].value is not None for name in _USES)


def _flag(name, flags):
    name = _FLAGS.get(name, name)
    return name if name in flags else None


def _explained(error):
    text = str(error).strip() or type(error).__name__
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{text}. Free some space; earlier results are still there"
    if isinstance(error, MemoryError) or type(error).__name__ == _NO_MEMORY:
        text = text.splitlines()[0]
        return f"Not enough memory; make batches, images or the model smaller. {text}"
    backend = os.environ.get("KERAS_BACKEND")
    if isinstance(error, ImportError) and backend and error.name == backend:
        return f"{text}. Install it, or set another KERAS_BACKEND. Received: {backend}"
    if isinstance(error, RuntimeError):
        return f"{text}\n--debug shows where it happened."
    return text

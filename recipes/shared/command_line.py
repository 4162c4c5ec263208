"""What all recipes share: flags, messages, devices."""

import contextlib
import math
import os
import pathlib
import shlex
import sys

from absl import flags as absl_flags

import kerasseq
from kerasseq import cli
from kerasseq.utils import interrupts
from recipes.shared import help_flags, messages, progress

BACKENDS = ("tensorflow", "jax")
# Bounds of flags: more is a slip of the finger, and would take all memory there is.
COUNT = {"lower_bound": 1, "upper_bound": 10**7}
WIDTH = {"lower_bound": 1, "upper_bound": 1 << 14}
LAYERS = {"lower_bound": 1, "upper_bound": 1000}
RATE = {"lower_bound": 0.0, "upper_bound": 0.9}
SEED = {"lower_bound": 0, "upper_bound": 2**31 - 1}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def new_flags(name, epochs, batch_size):
    """The common flags of a recipe, in a set of its own.

    Args:
        name: Name of the recipe; its results go to `saved_models/NAME`.
        epochs: Default number of epochs.
        batch_size: Default batch size.

    Returns:
        An `absl.flags.FlagValues`, to which the recipe adds its own flags.
    """
    flags = absl_flags.FlagValues()
    define = definer(flags, "data")
    text = (
        "What to train on: 'synthetic' (needs no network), 'tfds:NAME[/CONFIG]', or a "
        "path in the usual format of the task."
    )
    define("string", "data", "synthetic", text)
    define("string", "data_dir", None, "Where tensorflow-datasets keeps data.")
    define = definer(flags, "training")
    define("integer", "epochs", epochs, "Epochs at most.", **COUNT)
    define("integer", "batch_size", batch_size, "Examples per batch.", **COUNT)
    define("integer", "seed", 0, "Seed of data, weights and dropout.", **SEED)
    define("bool", "jit_compile", True, "Compile the training step with XLA.")
    define("enum", "precision", "float32", "Keras dtype policy.", PRECISIONS)
    text = "'data': split each batch over all devices (JAX backend)."
    define("enum", "distribute", "none", text, ("none", "data"))
    text = "Pack vocabulary or labels, and the card, into the .tflite files."
    definer(flags, "export")("bool", "embed_files", True, text)
    text = "Exported file to use, or its folder; else your last run or the published."
    definer(flags, "use")("string", "from", None, text)
    _define_run_flags(definer(flags, "run"), name)
    return flags


def _define_run_flags(define, name):
    define("string", "output_dir", f"saved_models/{name}", "Where results go.")
    define("bool", "resume", False, "Go on where the last run stood.")
    text = "Save within an epoch, too: after so many steps, or a time as 30s or 10m."
    define("string", "save_every", "10m", text)
    text = "Read the data, build the model, take some steps, estimate, write nothing."
    define("bool", "dry_run", False, text)
    define("bool", "tensorboard", False, "Write TensorBoard logs.")
    define("bool", "debug", False, "Show the traceback of an error, and all logs.")


def definer(flags, topic="run"):
    """A short form of `flags.DEFINE_...` for the flags of one recipe.

    Args:
        flags: An `absl.flags.FlagValues`.
        topic: One of `help_flags.TOPICS`, under which `--help` shows them.

    Returns:
        A function of the flag's kind (`"string"`, `"bool"`, ...), name, default and
        help text, of the choices of an `"enum"`, and of `DEFINE_...`'s keywords.
    """

    def define(kind, name, default, text, *choices, **kwargs):
        method = getattr(absl_flags, f"DEFINE_{kind}")
        kwargs |= {"flag_values": flags, "module_name": topic}
        method(name, default, *choices, text, **kwargs)

    return define


def run(main, flags, usage, argv=None):
    """Parses the command line, runs a recipe and turns errors into one message.

    Args:
        main: Function of the parsed flags.
        flags: The flags of the recipe.
        usage: Text for `--help`.
        argv: Arguments; those of the process by default.

    Returns:
        The exit code: 0, or 2 for bad input and what the machine cannot do, or 128 and
        the number of the signal that ended it.
    """
    argv = sys.argv if argv is None else ["recipe", *argv]
    help_flags.silence_tensorflow(argv)
    for stream in (sys.stdout, sys.stderr):  # a file's name may be no text
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        if help_flags.shown(argv, flags, usage):
            return 0
        with interrupts.raised(), progress.notes_shown():
            _parse(flags, argv)
            main(flags)
            sys.stdout.flush()
    except BrokenPipeError:
        return cli.end_quietly()
    except interrupts.Interrupted as signal:
        print(f"ended by {signal}: {messages.next_step(flags)}", file=sys.stderr)
        return signal.exit_code
    except Exception as error:
        if (flags.is_parsed() and flags.debug) or not messages.is_expected(error):
            raise
        print(f"error: {messages.in_flags(error, flags)}", file=sys.stderr)
        return 2
    return 0


def _parse(flags, argv):
    rest = flags(argv)[1:]
    if rest:
        raise ValueError(f"Every option begins with '--'. Received: {rest}")
    for name, value in flags.flag_values_dict().items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"--{name} is a finite number. Received: --{name}={value}")


def prepare(flags):
    """Sets precision, seed and distribution, and keeps memory between steps.

    Raises:
        ValueError: if the backend cannot train, or cannot distribute.
    """
    keras = import_keras(flags)
    kerasseq.training.keep_freed_memory()
    keras.config.set_dtype_policy(flags.precision)
    keras.utils.set_random_seed(flags.seed)
    if flags.distribute == "data":
        if backend() != "jax":
            raise ValueError(
                "--distribute=data needs the JAX backend. Received: "
                f"KERAS_BACKEND={backend()}. Set KERAS_BACKEND=jax."
            )
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(auto_shard_dataset=False)
        )


def import_keras(flags):
    """Imports Keras, without what TensorFlow says at its start except with `--debug`.

    Some of it comes before any setting of TensorFlow's logs is heard.

    Raises:
        ValueError: if its backend cannot train.
    """
    name = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    loud = "debug" in flags and flags.debug
    with contextlib.nullcontext() if loud else help_flags.muted_stderr():
        if name in BACKENDS:
            import keras

            name = keras.backend.backend()  # it may be set in a file, too
    if name not in BACKENDS:
        raise ValueError(
            f"Recipes train on one of {', '.join(BACKENDS)}. Received: "
            f"KERAS_BACKEND={name}. Set another one."
        )
    return keras


def bound_default(flags, name, most, reason):
    """Lowers a default that the data do not allow, and says so; a given flag stays.

    Args:
        flags: The flags.
        name: Name of the flag.
        most: Its largest value.
        reason: What allows no more, for the message.
    """
    if flags[name].value > most and not flags[name].present:
        print(f"--{name}={most} in place of {flags[name].value}: {reason}")
        flags[name].value = most


def check_known(flag, flags, known):
    """Refuses values of a list flag that are unknown.

    Raises:
        ValueError: naming the flag.
    """
    if unknown := sorted(set(flags[flag].value) - set(known)):
        raise ValueError(
            f"--{flag} must be out of {', '.join(known)}. Received: "
            f"--{flag}={','.join(unknown)}"
        )


def make_folder(path):
    """Makes a folder and checks that files can be made in it.

    Raises:
        ValueError: if not.
    """
    probe = pathlib.Path(path) / f".probe-{os.getpid()}"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"Cannot write to the output folder '{path}': {error.strerror}. "
            "Give another one with --output_dir."
        ) from error
    return probe.parent


def backend():
    """The name of Keras' backend."""
    import keras

    return keras.backend.backend()


def command_line(module):
    """The command that was run, for the card of a run."""
    return shlex.join(["python", "-m", module, *sys.argv[1:]])


def restore(flags, card):
    """Gives the flags of a recipe the values that they had in an earlier run.

    Args:
        flags: The flags of the recipe, not parsed.
        card: The run's card, a dict. `command` tells where the data lie, `settings`
            all else: defaults change.

    Returns:
        `flags`, parsed.
    """
    _, _, *arguments = shlex.split(card["command"])
    flags(arguments)
    # Hashes, `tokenizer` of the vocabulary in earlier cards.
    hashed = ("data", "tokenizer")
    for name, value in card["settings"].items():
        if name not in hashed and name in flags:
            flags[name].value = value
    return flags

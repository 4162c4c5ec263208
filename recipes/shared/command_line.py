"""What all recipes share: flags, messages, devices."""

import os
import pathlib
import shlex
import sys

from absl import flags as absl_flags

from kerasseq import cli

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
    define = definer(flags)
    text = (
        "What to train on: 'synthetic' (needs no network), 'tfds:NAME[/CONFIG]', or a "
        "path in the usual format of the task."
    )
    define("string", "data", "synthetic", text)
    define("string", "data_dir", None, "Where tensorflow-datasets keeps data.")
    define("string", "output_dir", f"saved_models/{name}", "Where results go.")
    define("integer", "epochs", epochs, "Epochs at most.", lower_bound=1)
    define("integer", "batch_size", batch_size, "Examples per batch.", lower_bound=1)
    define("integer", "seed", 0, "Seed of data, weights and dropout.")
    define("bool", "jit_compile", True, "Compile the training step with XLA.")
    define("enum", "precision", "float32", "Keras dtype policy.", PRECISIONS)
    define("bool", "resume", False, "Go on from the last finished epoch.")
    text = "Pack vocabulary or labels, and the card, into the .tflite files."
    define("bool", "embed_files", True, text)
    text = "Exported file to use, or its folder; else your last run or the published."
    define("string", "from", None, text)
    text = "'data': split each batch over all devices (JAX backend)."
    define("enum", "distribute", "none", text, ("none", "data"))
    define("bool", "tensorboard", False, "Write TensorBoard logs.")
    define("bool", "debug", False, "Show the traceback of an error.")
    return flags


def definer(flags):
    """A short form of `flags.DEFINE_...` for the flags of one recipe.

    Args:
        flags: An `absl.flags.FlagValues`.

    Returns:
        A function of the flag's kind (`"string"`, `"bool"`, ...), name, default and
        help text, of the choices of an `"enum"`, and of `DEFINE_...`'s keywords.
    """

    def define(kind, name, default, text, *choices, **kwargs):
        method = getattr(absl_flags, f"DEFINE_{kind}")
        method(name, default, *choices, text, flag_values=flags, **kwargs)

    return define


def run(main, flags, usage, argv=None):
    """Parses the command line, runs a recipe and turns errors into one message.

    Args:
        main: Function of the parsed flags.
        flags: The flags of the recipe.
        usage: Text for `--help`.
        argv: Arguments; those of the process by default.

    Returns:
        The exit code: 0, or 2 for bad input.
    """
    argv = sys.argv if argv is None else ["recipe", *argv]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "--help" in argv:
        print(usage, flags.get_help(), sep="\n")
        return 0
    try:
        rest = flags(argv)[1:]
        if rest:
            raise ValueError(f"Every option begins with '--'. Received: {rest}")
        main(flags)
        sys.stdout.flush()
    except BrokenPipeError:
        return cli.end_quietly()
    except (absl_flags.Error, ValueError, FloatingPointError) as error:
        if flags.is_parsed() and flags.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def prepare(flags):
    """Sets precision, seed and distribution; makes sure the output can be written.

    Raises:
        ValueError: if the output folder cannot be written, or the backend cannot
            distribute.
    """
    import keras

    make_folder(flags.output_dir)
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
            f"Cannot write to the output folder {path!r}: {error.strerror}. "
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
    for name, value in card["settings"].items():
        if name != "data" and name in flags:  # there it is the hash of the content
            flags[name].value = value
    return flags

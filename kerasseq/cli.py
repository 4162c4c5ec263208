"""The command `kerasseq`, also `python -m kerasseq.cli`."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

import kerasseq
from kerasseq.utils import interrupts

# Modules with `add_arguments(parser)` and `run(arguments) -> exit code`, and their use.
COMMANDS = {
    "import": (
        "kerasseq.commands.import_keras2",
        "convert a file of Keras 2 to Keras 3",
    ),
    "export": ("kerasseq.commands.export", "export a Keras 3 model for a phone"),
    "doctor": ("kerasseq.commands.doctor", "find what is wrong with a .tflite file"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: Arguments after the name of the program; those of the process by default.

    Returns:
        The exit code: what the command returns, or 2, with one message, for bad input,
        a package that is not installed, or what the machine cannot do; 128 and the
        number of the signal that ended it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = sys.argv[1:] if argv is None else list(argv)
    parser = _parser(arguments[:1])
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    parsed = parser.parse_args(arguments)
    try:
        with interrupts.raised():
            code = parsed.run(parsed)
            sys.stdout.flush()
        return code
    except interrupts.Interrupted as signal_received:
        print(f"ended by {signal_received}; run it again", file=sys.stderr)
        return signal_received.exit_code
    except BrokenPipeError:
        return end_quietly()
    except (ValueError, ImportError, OSError, MemoryError) as error:
        print(f"error: {error or type(error).__name__}", file=sys.stderr)
        return 2


def _parser(asked_for):
    """The parser, with the arguments of the command that is asked for alone.

    Importing another one may cost TensorFlow.
    """
    parser = argparse.ArgumentParser(prog="kerasseq")
    version = f"kerasseq {kerasseq.__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    for name, (module, purpose) in COMMANDS.items():
        if name not in asked_for:
            commands.add_parser(name, help=purpose)
            continue
        command = importlib.import_module(module)
        text = command.__doc__.splitlines()[0]
        child = commands.add_parser(name, help=purpose, description=text)
        command.add_arguments(child)
        child.set_defaults(run=command.run)
    return parser


def end_quietly() -> int:
    """Drops the rest of the output, which nobody reads, as after `| head`.

    Returns:
        The exit code.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main())

"""The command `kerasseq`, also `python -m kerasseq.cli`."""

import argparse
import importlib
import os
import signal
import sys

# Modules with `add_arguments(parser)` and `run(arguments) -> exit code`, and what for.
COMMANDS = {
    "import": (
        "kerasseq.commands.import_keras2",
        "a file of Keras 2 for Keras 3",
    ),
    "export": ("kerasseq.commands.export", "a Keras 3 model for a phone"),
    "doctor": ("kerasseq.commands.doctor", "what is wrong with a .tflite file"),
}


def main(argv=None):
    """Runs a command.

    Args:
        argv: Arguments after the name of the program; those of the process by default.

    Returns:
        The exit code: what the command returns, or 2, with one message, for bad input.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(prog="kerasseq")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    for name, (module, purpose) in COMMANDS.items():
        # The one that is asked for alone: importing another may cost TensorFlow.
        if name in arguments[:1]:
            command = importlib.import_module(module)
            text = command.__doc__.splitlines()[0]
            child = commands.add_parser(name, help=purpose, description=text)
            command.add_arguments(child)
            child.set_defaults(run=command.run)
        else:
            commands.add_parser(name, help=purpose)
    parsed = parser.parse_args(arguments)
    try:
        code = parsed.run(parsed)
        sys.stdout.flush()
        return code
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return end_quietly()


def end_quietly():
    """The exit code once nobody reads the output, as after `| head`; drops the rest."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main())

"""The command `kerasseq`, also `python -m kerasseq.cli`."""

import argparse
import importlib
import os
import sys

# Modules with `add_arguments(parser)` and `run(arguments) -> exit code`.
COMMANDS = {
    "doctor": "kerasseq.commands.doctor",
    "export": "kerasseq.commands.export",
    "import": "kerasseq.commands.import_keras2",
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
    parser = argparse.ArgumentParser(prog="kerasseq", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        # The one that is asked for alone: importing another may cost TensorFlow.
        if name in arguments[:1]:
            command = importlib.import_module(module)
            text = command.__doc__.splitlines()[0]
            child = commands.add_parser(name, description=text)
            command.add_arguments(child)
            child.set_defaults(run=command.run)
        else:
            commands.add_parser(name)
    parsed = parser.parse_args(arguments)
    try:
        return parsed.run(parsed)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

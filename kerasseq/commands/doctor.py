"""Says what is wrong with a TFLite file, and what to do about it."""

import argparse
import json

from kerasseq.doctor import examination, page

_EXIT_CODES = {"healthy": 0, "unhealthy": 1, "unreadable": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command.

    Args:
        parser: An `argparse.ArgumentParser`.
    """
    parser.epilog = "Exit code: 0 healthy, 1 unhealthy for the target, 2 unreadable."
    parser.add_argument("file", help="a .tflite file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--target",
        choices=examination.TARGETS,
        default="cpu",
        help="what the file should run on (default: cpu)",
    )
    parser.add_argument(
        "--run",
        action="store_true",
        dest="measure",  # `run` is the function of the command
        help="measure latency and peak memory",
    )
    parser.add_argument(
        "--time_limit",
        type=float,
        default=examination.TIME_LIMIT,
        help="seconds for the whole examination; more for a large model "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--memory_limit",
        type=float,
        help="GiB of memory for the examination (default: 4 and 4 times the file)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Examines a file and prints the result.

    Args:
        arguments: What the parser returned.

    Returns:
        The exit code: 0 healthy, 1 unhealthy for the target, 2 unreadable.
    """
    result = examination.examine(
        arguments.file,
        arguments.target,
        arguments.measure,
        arguments.time_limit,
        arguments.memory_limit,
    )
    print(json.dumps(result, indent=2) if arguments.json else page.text(result))
    return _EXIT_CODES[result["status"]]

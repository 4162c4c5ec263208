"""Says what is wrong with a TFLite file, and what to do about it."""

import argparse
import json

from kerasseq.doctor import examination, html_page, page
from kerasseq.utils import atomic

_EXIT_CODES = {"healthy": 0, "unhealthy": 1, "unreadable": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command.

    Args:
        parser: An `argparse.ArgumentParser`.
    """
    parser.epilog = "Exit code: 0 healthy, 1 unhealthy for the target, 2 unreadable."
    parser.add_argument(
        "file", help="a .tflite file, or a .litertlm or .task file that holds some"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="list ops, types and constants too"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", metavar="FILE", help="write all of it as a page, too")
    parser.add_argument(
        "--target",
        choices=examination.TARGETS,
        default="cpu",
        help="what the file should run on (default: cpu)",
    )
    parser.add_argument(
        "--matrix",
        metavar="FILE",
        help="a snapshot of edge-compat: what was measured of a runtime",
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
        arguments.matrix,
    )
    if arguments.html:
        _write(arguments.html, html_page.write(result))
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        print(page.text(result, arguments.verbose))
    return _EXIT_CODES[result["status"]]


def _write(path, content):
    try:
        with atomic.replace_file(path) as file:
            file.write(content)
    except OSError as error:
        raise ValueError(
            "The page cannot be written; name a file in a folder that is there. "
            f"Received: --html {path} ({error.strerror or error})"
        ) from error

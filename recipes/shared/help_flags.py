"""`--help` by topic, and what TensorFlow says at its start."""

import contextlib
import os
import sys
import tempfile

# How flags are sorted; `command_line.definer` is told which topic is theirs.
TOPICS = ("use", "data", "model", "training", "export", "run")
_ASKED = ("--help", "-help", "-h")


def silence_tensorflow(argv):
    """Keeps TensorFlow from telling about its start, except with `--debug`."""
    level = "0" if "--debug" in argv else "3"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", level)


@contextlib.contextmanager
def muted_stderr():
    """Keeps what is written to the descriptor of standard error, unless it fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        original = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(original, kept.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)


def shown(argv, flags, usage):
    """Prints the help that is asked for, and tells whether any was.

    `--help` prints the usage and all flags by topic, `--help=TOPIC` those of one.

    Raises:
        ValueError: for an unknown topic.
    """
    asked = [text.partition("=") for text in argv if text.partition("=")[0] in _ASKED]
    if not asked:
        return False
    groups = flags.flags_by_module_dict()
    topics = [topic for topic in TOPICS if topic in groups]
    topic = asked[0][2]
    if topic and topic not in topics:
        raise ValueError(
            f"--help takes a topic out of {', '.join(topics)}, or none. "
            f"Received: --help={topic}"
        )
    if not topic:
        print(usage, f"Flags by topic; --help={topics[0]} shows one topic.", sep="\n")
    for name in [topic] if topic else topics:
        print(flags.module_help(name))
    return True

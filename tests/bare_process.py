"""Commands in a process that has neither TensorFlow nor Keras, like a device."""

import pathlib
import resource
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
BLOCKED = ("tensorflow", "keras", "keras_nlp", "jax", "torch")
BLOCKED += ("matplotlib", "sklearn", "sacrebleu")
_PROGRAM = """
import runpy
import sys
for name in {blocked}:
    sys.modules[name] = None  # to import it is an error
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""


def run(module, *arguments, text=None):
    """Runs `python -m module arguments...` without what only training needs.

    Args:
        module: Name of the module.
        *arguments: Its command line.
        text: What is on its standard input.

    Returns:
        `(stdout, seconds)`: what it printed, and the processor time that it took.
    """
    program = _PROGRAM.format(blocked=BLOCKED, module=module)
    before = _seconds()
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, _seconds() - before


def _seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

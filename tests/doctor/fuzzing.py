"""Runs damaged and random files, each in a process of its own, and counts outcomes.

`python -m tests.doctor.fuzzing first_seed number folder file...` prints the counts.
"""

import collections
import json
import math
import os
import pathlib
import resource
import signal
import sys

import numpy as np

from kerasseq import lite
from tests.doctor import mutations, random_files

MOST_ELEMENTS = 10**6
SECONDS, MEMORY = 10, 8 * 2**30  # to open a file
# A loop whose condition stays true runs for ever, as it says.
_EXITS = {0: "read", 1: "refused", 2: "uncaught", -signal.SIGVTALRM: "endless"}


def use(path):
    """Opens a file, in any case soon, and runs all of it on zeros and on thousands."""
    try:
        signal.alarm(SECONDS)
        runner = lite.Runner(path)
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        for name, sides in runner.signatures.items():
            shapes = [(), *(shape for shape, _ in sides["inputs"].values())]
            if max(math.prod(filter(None, shape)) for shape in shapes) > MOST_ELEMENTS:
                continue  # more than a caller has
            for value in (0, 1000):
                runner.run(name, **inputs(sides["inputs"], value))
    except ValueError:
        return 1
    return 0


def inputs(specs, value):
    """Arrays of one value; sizes that are not fixed are 3."""
    return {
        name: np.full([3 if n is None else n for n in shape], value).astype(dtype)
        for name, (shape, dtype) in specs.items()
    }


def in_a_fork(path):
    """What came of a file: a word, or the signal that ended the process."""
    pid = os.fork()
    if not pid:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        status = 2
        try:
            status = use(path)
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return _EXITS.get(status) or signal.Signals(-status).name


def main(first, number, folder, *files):
    counts, failed = collections.Counter(), {}
    contents = [pathlib.Path(file).read_bytes() for file in files]
    path = pathlib.Path(folder, "damaged.tflite")
    for seed in range(int(first), int(first) + int(number)):
        if seed % 5:
            path.write_bytes(mutations.any_of(contents, seed))
        else:
            random_files.write(path, seed)
        came = in_a_fork(path)
        counts[came] += 1
        if came not in ("read", "refused", "endless"):
            failed[seed] = came
    print(json.dumps({"counts": counts, "failed": failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A baseline that only sleeps, or fails on request."""

import os
import time

from benchmarks import interleaved


def load(log, name, fails=None):
    def stop(at):
        if fails == at:
            raise ValueError(f"asked to fail in {at}")

    def step():
        print("noise of a library")
        with open(log, "a") as file:
            file.write(f"{name} ")
        if fails == "exit":
            os._exit(3)
        time.sleep(0.01)
        return 0.5

    def prepare():
        stop("prepare")
        return step

    stop("load")
    return prepare, {"name": name}


if __name__ == "__main__":
    interleaved.serve(load)

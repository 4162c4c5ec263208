"""The machine and the software that a measurement was made with."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess

_PACKAGES = ("tensorflow", "keras", "jax", "torch", "ai-edge-litert", "litert-torch")
_PACKAGES += ("onnxruntime", "numpy", "jax-cuda12-plugin", "jax-cuda13-plugin")
_PACKAGES += ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13")


def description():
    """Returns a dict: processor, cores, system, Python, versions of packages."""
    return {
        "processor": _processor(),
        "cores": num_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES if _version(name)},
    }


def summary(facts):
    """Formats `description()` as one line."""
    packages = ", ".join(f"{name} {v}" for name, v in facts["packages"].items())
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['system']}, "
        f"Python {facts['python']}, {packages}"
    )


def num_cores():
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def jax_device():
    """Returns a dict of what JAX computes on: `platform`, `device`, `version`."""
    import jax
    from jax.extend import backend

    return {
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "version": backend.get_backend().platform_version,
    }


def nvidia_driver():
    """Returns a line per card: name, driver, memory; `None` without the program."""
    query = "--query-gpu=name,driver_version,memory.total"
    try:
        done = subprocess.run(
            ["nvidia-smi", query, "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.splitlines() or None


def limit_threads(num_threads):
    """Keeps this process, all libraries and XLA with it, on so many cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:num_threads])


def limit_tensorflow(num_threads):
    """Lets TensorFlow, which does not look at the cores, have so many threads."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(num_threads)
    tf.config.threading.set_inter_op_parallelism_threads(num_threads)


def busy_seconds():
    """Returns the processor time of all processes so far; `None` if unknown."""
    try:
        line = pathlib.Path("/proc/stat").read_text().splitlines()[0]
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, line.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.processor()


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None

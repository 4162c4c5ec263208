"""Flags, ratios and tables of the benchmarks of training steps."""

import importlib.util
import pathlib
import statistics

from absl import flags as absl_flags

from benchmarks import machine
from kerasseq.utils import atomic
from recipes.shared import command_line

FLOOR = "products"  # the matrix products of the step alone
RATIOS = {  # name: (baselines, ours); above 1 where ours is faster
    "Keras/ours": (("keras_jit", "keras"), "kerasseq"),
    "torch/ours": (("torch",), "kerasseq"),
    "JAX: Keras/ours": (("keras_jax",), "kerasseq_jax"),
    "JAX: torch/ours": (("torch",), "kerasseq_jax"),
    "ours/products": (("kerasseq",), FLOOR),
}
# What `kerasseq.training.keep_freed_memory` does.
_KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"}
BUSY = 0.3  # with more cores busy elsewhere, times are not reliable


def define_flags(choices, num_rounds, output):
    """Defines the flags of a benchmark.

    Args:
        choices: Dict from flag to `(names, default)`, of flags that are lists of names.
        num_rounds: Default number of rounds.
        output: Default path of the results.
    """
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    for flag, (names, default) in choices.items():
        define_names(flags, flag, names, default)
    define("integer", "rounds", num_rounds, "Number of rounds.", lower_bound=1)
    define("float", "seconds", 1.5, "Seconds per baseline in each round.")
    cores = machine.num_cores()
    define("integer", "threads", cores, "Threads of each baseline.", lower_bound=1)
    define("string", "output", output, "Path of the results.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def define_keep_memory(flags):
    """Defines the flag that `environment` reads; returns the flags."""
    text = "Whose processes keep the memory that they free between steps."
    choices = ("kerasseq", "all", "none")
    command_line.definer(flags)("enum", "keep_memory", choices[0], text, choices)
    return flags


def environment(flags, library, backend=None):
    """The variables that the process of a baseline gets.

    Args:
        flags: The flags, `threads` and `keep_memory` among them.
        library: Name of the baseline's library.
        backend: That of Keras, if it is used.
    """
    kept = flags.keep_memory in ("all", library)
    return {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OPENBLAS_NUM_THREADS": str(flags.threads),
        **({"KERAS_BACKEND": backend} if backend else {}),
        **(_KEEP_MEMORY if kept else {}),
    }


def define_names(flags, flag, names, default):
    """Defines a flag that is a list of names, of those in `names`."""
    text = f"Comma-separated, of: {', '.join(names)}."
    command_line.definer(flags)("list", flag, list(default), text)
    known = set(names).issuperset
    absl_flags.register_validator(flag, known, text, flag_values=flags)


def run(flags, columns, measurements):
    """Measures all rows, prints tables and writes the results.

    Args:
        flags: The flags, `baselines` among them.
        columns: Dict from the key of a result to `(title, format)`. The table of the
            first has ratios too.
        measurements: List of functions, one per row, that take the names of the
            baselines and return `{"name", "baselines": {name: result}, ...}`.
    """
    facts = machine.description() | {"threads": flags.threads}
    facts |= {"keep_memory": flags.keep_memory}
    print(f"{machine.summary(facts)}; {flags.threads} threads each\n")
    baselines = _installed(flags.baselines)
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    rows = []
    for measure in measurements:
        row = measure(baselines)
        rows.append(row | {"ratios": ratios(row["baselines"])})
        _print_row(rows[-1])
        report = {"machine": facts, "rows": rows, "geometric_means": means(rows)}
        atomic.write_json(output, report)  # an interrupted run has results
    names = means(rows)
    for index, (key, (title, form)) in enumerate(columns.items()):
        _print_table(title, rows, baselines, key, form, [] if index else names)
    print("\nGeometric means, above 1 where kerasseq is faster (`ours/...`: slower):")
    for name, mean in names.items():
        print(f"  {name}: {mean:.2f}")
    print(f"\nWritten to {output}")


def ratios(results):
    """Time of the fastest other baseline over ours, of those that were measured."""
    quotients = {}
    for name, (others, ours) in RATIOS.items():
        times = [results.get(other, {}).get("median_ms") for other in others]
        times = [time for time in times if time]
        ours = results.get(ours, {}).get("median_ms")
        if times and ours:
            quotients[name] = min(times) / ours
    return quotients


def means(rows):
    """Geometric mean of each ratio over the rows that have it."""
    measured = {}
    for row in rows:
        for name, ratio in row["ratios"].items():
            measured.setdefault(name, []).append(ratio)
    return {name: statistics.geometric_mean(x) for name, x in measured.items()}


def _installed(baselines):
    if "torch" not in baselines or importlib.util.find_spec("torch"):
        return baselines
    print("PyTorch is not installed: pip install kerasseq[bench]. Continuing without.")
    return [name for name in baselines if name != "torch"]


def _print_row(row):
    results = row["baselines"]
    times = [
        f"{baseline} {result['median_ms']:.1f}"
        for baseline, result in results.items()
        if "median_ms" in result
    ]
    print(f"{row['name']}: {', '.join(times)} ms", flush=True)
    for baseline, result in results.items():
        if "error" in result:
            print(f"  {baseline} failed: {result['error']}", flush=True)
    busy = max(result.get("busy_cores", 0) for result in results.values())
    if busy > BUSY:
        print(f"  disturbed: other processes kept up to {busy:.1f} cores busy")


def _print_table(title, rows, baselines, key, form, names):
    print(f"\n{title}\n\n| model | {' | '.join([*baselines, *names])} |")
    print("|---" * (1 + len(baselines) + len(names)) + "|")
    for row in rows:
        cells = [
            _cell(row["baselines"].get(baseline), key, form) for baseline in baselines
        ]
        quotients = [row["ratios"].get(name) for name in names]
        cells += ["" if ratio is None else f"{ratio:.2f}" for ratio in quotients]
        print(f"| {row['name']} | {' | '.join(cells)} |")


def _cell(result, key, form):
    if result is None:
        return "-"
    return form.format(result[key]) if key in result else "failed"

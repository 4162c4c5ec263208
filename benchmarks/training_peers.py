"""What the benchmarks of training steps share: flags, ratios and tables."""

import importlib.util
import pathlib
import statistics

from absl import flags

from benchmarks import machine
from kerasseq import atomic
from recipes import common

RATIOS = {  # name: (slower if we are good, ours)
    "Keras/ours": (("keras_jit", "keras"), "kerasseq"),
    "torch/ours": (("torch",), "kerasseq"),
    "JAX: Keras/ours": (("keras_jax",), "kerasseq_jax"),
}
BUSY = 0.3  # cores at work elsewhere, from which on times are not to be trusted


def define_flags(choices, num_turns, output):
    """The flags of a benchmark.

    Args:
        choices: `{flag: (names, default)}` of its flags that are lists of names.
        num_turns: Rounds by default.
        output: Where the results go by default.
    """
    values = flags.FlagValues()
    define = common.definer(values)
    for flag, (names, default) in choices.items():
        text = f"Comma-separated, of: {', '.join(names)}."
        define("list", flag, list(default), text)
        known = set(names).issuperset
        flags.register_validator(flag, known, text, flag_values=values)
    define("integer", "turns", num_turns, "Rounds.", lower_bound=1)
    define("float", "seconds", 1.5, "Length of a turn.")
    cores = machine.num_cores()
    define("integer", "threads", cores, "Threads of each peer.", lower_bound=1)
    define("string", "output", output, "Where the results go.")
    define("bool", "debug", False, "Show tracebacks.")
    return values


def run(values, columns, measurements):
    """Measures all rows, prints tables and writes the results.

    Args:
        values: The flags, `peers` among them.
        columns: `{key in a result: (title, format)}`; the first is told with ratios.
        measurements: Functions, one a row, of the names of the peers, that return
            `{"name", "peers": {name: result}, ...}`.
    """
    facts = machine.description() | {"threads": values.threads}
    print(f"{machine.summary(facts)}; {values.threads} threads each\n")
    peers = _installed(values.peers)
    output = pathlib.Path(values.output)
    common.make_folder(output.parent)
    rows = []
    for measure in measurements:
        row = measure(peers)
        rows.append(row | {"ratios": ratios(row["peers"])})
        _print_row(rows[-1])
        report = {"machine": facts, "rows": rows, "geometric_means": means(rows)}
        atomic.write_json(output, report)  # so that an interrupted run has results
    names = means(rows)
    for index, (key, (title, form)) in enumerate(columns.items()):
        _print_table(title, rows, peers, key, form, [] if index else names)
    print("\nGeometric means, above 1 where kerasseq is faster:")
    for name, mean in names.items():
        print(f"  {name}: {mean:.2f}")
    print(f"\nWritten to {output}")


def ratios(results):
    """How many times as long the others take; only what was measured."""
    found = {}
    for name, (others, ours) in RATIOS.items():
        times = [results.get(other, {}).get("median_ms") for other in others]
        times = [time for time in times if time]
        ours = results.get(ours, {}).get("median_ms")
        if times and ours:
            found[name] = min(times) / ours
    return found


def means(rows):
    """Geometric mean of each ratio over the rows that have it."""
    found = {}
    for name in RATIOS:
        values = [row["ratios"][name] for row in rows if name in row["ratios"]]
        if values:
            found[name] = statistics.geometric_mean(values)
    return found


def _installed(peers):
    if "torch" not in peers or importlib.util.find_spec("torch"):
        return peers
    print("PyTorch is not installed: pip install kerasseq[bench]. Going on without.")
    return [name for name in peers if name != "torch"]


def _print_row(row):
    results = row["peers"]
    times = [
        f"{peer} {result['median_ms']:.1f}"
        for peer, result in results.items()
        if "median_ms" in result
    ]
    print(f"{row['name']}: {', '.join(times)} ms", flush=True)
    for peer, result in results.items():
        if "error" in result:
            print(f"  {peer} failed: {result['error']}", flush=True)
    busy = max(result.get("busy_cores", 0) for result in results.values())
    if busy > BUSY:
        print(f"  disturbed: other work kept up to {busy:.1f} cores busy")


def _print_table(title, rows, peers, key, form, names):
    print(f"\n{title}\n\n| model | {' | '.join([*peers, *names])} |")
    print("|---" * (1 + len(peers) + len(names)) + "|")
    for row in rows:
        cells = [_cell(row["peers"].get(peer), key, form) for peer in peers]
        found = [row["ratios"].get(name) for name in names]
        cells += ["" if ratio is None else f"{ratio:.2f}" for ratio in found]
        print(f"| {row['name']} | {' | '.join(cells)} |")


def _cell(result, key, form):
    if result is None:
        return "-"
    return form.format(result[key]) if key in result else "failed"

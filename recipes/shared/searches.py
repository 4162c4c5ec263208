"""Searches in Keras and in exported files, compared row by row."""

import time

import numpy as np

from kerasseq import lite

BATCH = 50
MOST_TIES = 3


def predict(search, rows):
    """`predict` of a search in batches of one size, so that XLA compiles once.

    Args:
        search: A `kerasseq.decoding.Translator` or `Captioner`.
        rows: Array of what it takes.

    Returns:
        A dict of arrays.
    """
    missing = -len(rows) % BATCH
    rows = np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])
    outputs = search.predict(rows, batch_size=BATCH, verbose=0)
    return {name: x[: len(x) - missing] for name, x in outputs.items()}


def run(runner, signature, name, rows):
    """Runs a search of an exported file on each row.

    Args:
        runner: A `kerasseq.lite.Runner`.
        signature: `"greedy"` or `"beam"`.
        name: Name of its input.
        rows: Array of what it takes.

    Returns:
        A dict of arrays, and the milliseconds per row.
    """
    began = time.perf_counter()
    found = [runner.run(signature, **{name: row[None]}) for row in rows]
    seconds = time.perf_counter() - began
    joined = {key: np.concatenate([x[key] for x in found]) for key in found[0]}
    return joined, 1e3 * seconds / len(rows)


def best(result):
    """Tokens and scores of the best hypotheses."""
    tokens, scores = result["tokens"], result["scores"]
    return (tokens[:, 0], scores[:, 0]) if tokens.ndim == 3 else (tokens, scores)


def compare(path, name, rows, results, what):
    """Runs both searches of an exported file and compares them with Keras'.

    Prints how many rows are identical.

    Args:
        path: Path of the file, a `pathlib.Path`.
        name: Name of the input.
        rows: Array of what it takes.
        results: Dict of `greedy` and `beam`, what `predict` returned.
        what: What a row is, as `"sentence"`.

    Returns:
        A dict of `greedy_identical`, `beam_identical`, the near ties of both (rows
        whose results differ, with the gap of their scores) and the milliseconds per
        row; and the tokens that beam search found.
    """
    runner = lite.Runner(path)
    verified, tokens = {}, None
    for signature in ("greedy", "beam"):
        found, latency = run(runner, signature, name, rows)
        tokens, scores = best(found)
        identical, ties = agreement(best(results[signature]), (tokens, scores), what)
        verified |= {
            f"{signature}_ms_per_{what}": latency,
            f"{signature}_identical": identical,
            f"{signature}_near_ties": ties,
        }
        print(
            f"{path.name}, {signature}: {identical} of {len(rows)} results as Keras', "
            f"{latency:.2f} ms each"
        )
        for tie in ties[:MOST_TIES]:
            print(f"  {what} {tie[what]} differs, score gap {tie['gap']:.2e}")
    return verified, tokens


def agreement(expected, found, what):
    """Compares the tokens of two searches, row by row.

    Args:
        expected: Pair of arrays, tokens `(rows, length)` and scores `(rows,)`.
        found: Likewise.
        what: What a row is.

    Returns:
        `(identical, near_ties)`: the number of rows with the same tokens, and for
        every other row its number and the gap between the two scores, a near tie
        where the gap is of the size of rounding.
    """
    tokens, scores = found
    differing = np.flatnonzero((expected[0] != tokens).any(axis=1))
    ties = [
        {what: int(i), "gap": float(abs(expected[1][i] - scores[i]))} for i in differing
    ]
    return len(tokens) - len(differing), ties

"""Random models that Keras 2 wrote come in with its outputs, or are refused by name."""

import collections
import gc
import pathlib
import re
import resource
import warnings

import hypothesis
import numpy as np
import pytest
import tf_keras
from hypothesis import strategies as st

from kerasseq import convert
from tests.convert import random_keras2


def outcome(rng, folder):
    """`(equal, refused, failed or none, reason)` of one random model."""
    model = random_keras2.Maker(rng).model()
    if model is None:
        return "none", ""
    try:
        examples = random_keras2.examples(model, np.random.default_rng(0))
    except Exception as error:  # Keras 2 cannot run it
        return "none", str(error)
    if not all(np.isfinite(x).all() for x in examples.values()):
        return "none", ""
    old, new = folder / f"old.{rng.choice(['h5', 'keras'])}", folder / "new.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.save(old)
        except Exception as error:  # Keras 2 cannot write it
            return "none", str(error)
    tf_keras.backend.clear_session()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            convert.import_keras2(old, new, examples=examples, tolerance=1e-4)
        kind, reason = "equal", ""
    except ValueError as error:
        kind, reason = "refused", str(error)
        if "other outputs" in reason:
            kind = "failed"
    except Exception as error:  # any: it is the failure that is looked for
        kind, reason = "failed", f"{type(error).__name__}: {error}"
    old.unlink()
    files = [path.name for path in folder.iterdir()]
    if files != (["new.keras"] if kind == "equal" else []):
        kind, reason = "failed", f"files {files} after: {kind} {reason}"
    new.unlink(missing_ok=True)
    return kind, reason


def run(number, folder):
    """`{kind: number}`; prints a table of what was refused, and raises for failures."""
    counts, reasons, failures = collections.Counter(), collections.Counter(), []

    @hypothesis.settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.randoms(use_true_random=False))
    def each(rng):
        kind, reason = outcome(rng, folder)
        counts[kind] += 1
        if kind == "refused":
            reasons[re.sub(r"'[^']*'", "..", reason.splitlines()[0])[:90]] += 1
        if kind == "failed":
            failures.append(reason)

    each()
    print(f"\n{dict(counts)} of {number}")
    for reason, count in reasons.most_common():
        print(f"{count:4}  {reason}")
    assert not failures, failures[:3]
    return counts


def test_a_few(tmp_path):
    assert run(8, tmp_path)["equal"] >= 4


@pytest.mark.slow
def test_memory_stays_flat(keras2_files, tmp_path):
    """200 imports of the same file in one process."""
    sizes = []
    for index in range(200):
        convert.import_keras2(keras2_files / "gru.h5", tmp_path / "new.keras")
        if index % 50 == 49:
            gc.collect()
            sizes.append(resident())
    print(f"\nMiB after 50, 100, 150 and 200 imports: {sizes}")
    assert sizes[3] - sizes[1] < 0.25 * sizes[1], sizes


def resident():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 2**20


@pytest.mark.slow
def test_many(tmp_path):
    assert run(220, tmp_path)["equal"] >= 150

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import decoding_speed

ROOT = pathlib.Path(__file__).parents[2]


def test_ratios():
    medians = {"cached_16": 2.0, "cached_32": 4.0, "cached_64": 8.0}
    medians |= {"uncached_16": 3.0, "uncached_32": 12.0, "uncached_64": 40.0}
    medians |= {"step_at_8": 0.5, "step_at_120": 0.6}
    assert decoding_speed.summary(medians) == pytest.approx(
        {
            "uncached_to_cached_16": 1.5,
            "uncached_to_cached_32": 3.0,
            "uncached_to_cached_64": 5.0,
            "later_to_first_step": 1.2,
        }
    )


def test_both_ways_decode_the_same():
    model = decoding_speed.build(units=16, vocabulary_size=50)
    memory = np.random.default_rng(0).normal(size=(1, 7, 16)).astype("float32")
    found, expected = (
        make(model, 12)(memory)
        for make in (decoding_speed.cached, decoding_speed.uncached)
    )
    np.testing.assert_array_equal(found["tokens"], expected["tokens"])
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-5)


@pytest.mark.slow
def test_a_small_model(tmp_path):
    output = tmp_path / "speed.json"
    small = ["--units=16", "--vocabulary_size=120", "--rounds=3"]
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.decoding_speed", *small]
        + [f"--output={output}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "| 64 | " in result.stdout
    assert json.loads(output.read_text())["uncached_to_cached_64"] > 0

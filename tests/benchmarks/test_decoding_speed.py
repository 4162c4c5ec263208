import json
import pathlib
import subprocess
import sys

import pytest

from benchmarks import decoding_speed

ROOT = pathlib.Path(__file__).parents[2]


def test_sums_and_ratios():
    medians = {f"whole_{length}": length / 8 for length in decoding_speed.LENGTHS}
    medians |= {"step_at_8": 0.5, "step_at_120": 0.6}
    found = decoding_speed.summary(medians)
    assert found["cached_ms"] == 32
    assert found["padded_to_cached"] == 64 * 8 / 32
    # 1 for each of the first 8 tokens, then a straight line up to 8.
    assert found["uncached_exact_ms"] == pytest.approx(8 + sum(range(9, 65)) / 8)
    assert found["later_to_first_step"] == pytest.approx(1.2)


@pytest.mark.slow
def test_a_small_model(tmp_path):
    output = tmp_path / "speed.json"
    small = ["--units=16", "--vocabulary_size=120", "--turns=3"]
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.decoding_speed", *small]
        + [f"--output={output}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "| step_at_120 |" in result.stdout
    assert json.loads(output.read_text())["padded_to_cached"] > 0

"""The whole run on the embedded phrases, as `make demo` does it, from several seeds."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_exact_match_of_the_file(seed, tmp_path):
    output = tmp_path / "translate"
    command = [sys.executable, "-m", "recipes.translate"]
    command += [f"--seed={seed}", f"--output_dir={output}"]
    subprocess.run(command, check=True)
    card = json.loads((output / "card.json").read_text())
    assert card["metrics"]["beam_identical"] == 1000
    assert card["metrics"]["exact_match"] >= 0.985

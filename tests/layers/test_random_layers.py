"""Random recurrent layers and cells against Keras' own: equal, or refused by name."""

import collections

import hypothesis
import pytest

from tests.layers import random_layers

CHECKS = list(hypothesis.HealthCheck)


def check(count):
    """Runs `count` cases and returns how many had which outcome."""
    outcomes = collections.Counter()

    @hypothesis.settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=CHECKS,
    )
    @hypothesis.given(random_layers.cases())
    def one(case):
        outcomes[random_layers.outcome(case)] += 1

    one()
    return outcomes


def test_a_few_random_layers():
    assert check(20)["equal"] > 10


@pytest.mark.slow
def test_a_thousand_random_layers():
    outcomes = check(1000)
    print(f"random layers: {dict(outcomes)}, failed: 0")
    assert outcomes["equal"] > 700

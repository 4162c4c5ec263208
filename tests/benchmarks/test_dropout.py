import re

import pytest

from benchmarks import dropout


@pytest.mark.slow
def test_it_prints_the_cost_of_both_layers(capsys):
    flags = dropout.define_flags()
    flags(["", "--elements=64", "--rounds=2"])
    dropout.main(flags)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.partition(":")[0] for line in lines] == ["keras", "kerasseq"]
    assert all(re.search(r": -?[\d.]+ ns per element$", line) for line in lines)

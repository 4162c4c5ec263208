import pytest

from kerasseq.lite import benchmark


@pytest.fixture(autouse=True)
def short_measurements(monkeypatch):
    """No test looks at how precisely a latency is measured."""
    monkeypatch.setattr(benchmark, "SECONDS", 0.02)

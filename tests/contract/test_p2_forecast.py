"""P2 for forecasters: outputs and gradients equal NumPy."""

import functools

import catalog
import catalog_forecast as table
import pytest
import reference_forecast

from tests.contract import slopes


def reference_of(options):
    options = {"num_targets": table.COLUMNS} | options
    options.pop("num_calendar", None)
    return functools.partial(
        reference_forecast.forecaster, horizon=table.HORIZON, **options
    )


REFERENCES = {
    f"forecaster-{name}": reference_of(options) for name, options in table.KINDS.items()
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])

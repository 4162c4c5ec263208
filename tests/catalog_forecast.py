"""The forecasters' part of the table: rows of `catalog.Entry`, all small.

As many quantiles as targets: an axis in the place of another would not show by shape.
"""

import numpy as np

from kerasseq import models

BATCH, LOOK_BACK, HORIZON, COLUMNS, CALENDAR = 3, 9, 4, 2, 3
SIZES = {"units": 8, "num_heads": 2, "mlp_dim": 12}
KINDS = {
    "dlinear": {"arch": "dlinear", "kernel_size": 5, "num_calendar": CALENDAR},
    "nlinear": {"arch": "nlinear", "num_quantiles": 2},
    "gru": {
        "arch": "gru",
        "num_targets": 1,
        "num_calendar": CALENDAR,
        "instance_normalization": "standard",
    },
    "seq2seq": {"arch": "seq2seq", "num_layers": 2, "num_calendar": CALENDAR},
    "transformer": {"arch": "transformer", "instance_normalization": "last"},
    "patch_transformer": {
        "arch": "patch_transformer",
        "patch_length": 4,
        "patch_stride": 2,
        "num_quantiles": 2,
        "instance_normalization": "standard",
    },
}
LOOPS = ("gru", "seq2seq")


def forecaster(**options):
    sizes = (LOOK_BACK, HORIZON, COLUMNS)
    return lambda _: models.forecaster(*sizes, **SIZES, **options)


def histories(**options):
    """A history whose columns lie apart, and a calendar if the model reads one."""

    def inputs():
        generator = np.random.default_rng(7)
        shape = (BATCH, LOOK_BACK, COLUMNS)
        found = {"history": generator.normal((3, -2), 1.5, shape)}
        if options.get("num_calendar"):
            shape = (BATCH, LOOK_BACK + HORIZON, CALENDAR)
            found["calendar"] = generator.normal(size=shape)
        return {name: x.astype("float32") for name, x in found.items()}

    return inputs


ROWS = [
    (
        "forecaster",
        name,
        forecaster(**options),
        histories(**options),
        None,
        name in LOOPS,
    )
    for name, options in KINDS.items()
]

import os
import subprocess
import sys

import keras
import pytest

from kerasseq.training import count_compiles
from tests.training import small_run

FIT = """
from tests.training import small_run
small_run.fit(small_run.build_model(1), small_run.build_state({path!r}), epochs=2)
"""


class Declared:
    def __init__(self, *shapes):
        self.shapes = shapes


def test_counts_distinct_shapes_of_each_step():
    data = Declared((4, 3), (4, 6), (4, 3))
    assert count_compiles(data) == 2
    assert count_compiles(data, Declared((4, 3))) == 3


def test_data_without_shapes():
    with pytest.raises(ValueError, match="shapes"):
        count_compiles([1, 2])


def expected():
    data = small_run.Data(batches=4), small_run.ValidationData(batches=2)
    assert count_compiles(*data) == 4
    return 4


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="dumps of TF")
def test_equals_the_programs_that_xla_dumps(tmp_path):
    dump = tmp_path / "dump"
    environment = {**os.environ, "XLA_FLAGS": f"--xla_dump_to={dump}"}
    subprocess.run(
        [sys.executable, "-c", FIT.format(path=str(tmp_path))],
        env=environment,
        check=True,
    )
    programs = [path.name for path in dump.glob("*before_optimizations.txt")]
    steps = [name for name in programs if "one_step_on_data" in name]
    assert len(steps) == expected(), programs


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="events of JAX")
def test_equals_the_compile_events_of_jax(tmp_path):
    import jax

    compiled = []

    def listen(event, seconds, **context):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(context.get("fun_name"))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        model = small_run.build_model(1)
        small_run.fit(model, small_run.build_state(tmp_path), epochs=2)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    steps = [name for name in compiled if name and "step" in name]
    assert len(steps) == expected(), compiled

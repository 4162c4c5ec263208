"""Keras' own tests of recurrence and attention, run against our layers.

The tests are read from the installed Keras; where it comes without them they are
skipped. What stock Keras passes here, ours must pass, but for `DIFFERENCES`.
"""

import os
import pathlib
import xml.etree.ElementTree as xml

import jax_process
import keras
import pytest

HERE = pathlib.Path(__file__).parent
LAYERS = pathlib.Path(keras.__file__).parent / "src" / "layers"
FILES = [
    *(f"rnn/{name}_test.py" for name in ("simple_rnn", "lstm", "gru", "rnn")),
    *(f"rnn/{name}_test.py" for name in ("bidirectional", "stacked_rnn_cells")),
    *(f"rnn/{name}_test.py" for name in ("dropout_rnn_cell", "time_distributed")),
    "attention/multi_head_attention_test.py",
]
# Name of a test of Keras: why ours does something else.
NO_CUDNN = "a cuDNN kernel turns XLA off for the whole model, so there is none"
DIFFERENCES = {
    "SimpleRNNTest.test_fused_gru_eligibility": NO_CUDNN,
    "SimpleRNNTest.test_fused_lstm_eligibility": NO_CUDNN,
    "SimpleRNNTest.test_keeps_use_cudnn": NO_CUDNN,
}


def outcomes(folder, backend, *plugins):
    """The names of Keras' tests that pass, and those that do not."""
    report = folder / f"{backend}{len(plugins)}.xml"
    command = ["-m", "pytest", "-q", "-c", os.devnull, f"--rootdir={folder}"]
    command += ["-p", "no:cacheprovider", "-W", "ignore", f"--junitxml={report}"]
    options = [x for name in plugins for x in ("-p", name)]
    paths = [LAYERS / name for name in FILES]
    jax_process.run(
        *command,
        *options,
        *paths,
        KERAS_BACKEND=backend,
        PYTHONPATH=os.pathsep.join([str(jax_process.ROOT), str(HERE)]),
        timeout=1800,
    )
    passed, others = set(), set()
    for case in xml.parse(report).iter("testcase"):
        name = f"{case.get('classname').split('.')[-1]}.{case.get('name')}"
        failed = [part for part in case if part.tag in ("failure", "error", "skipped")]
        (others if failed else passed).add(name)
    return passed, others


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="it starts both backends"
)
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_what_keras_passes_ours_passes_too(backend, tmp_path):
    missing = [name for name in FILES if not (LAYERS / name).is_file()]
    if missing:
        pytest.skip(f"this Keras comes without its tests: {missing}")
    stock, _ = outcomes(tmp_path, backend)
    ours, others = outcomes(tmp_path, backend, "kerasseq_in_keras")
    assert len(stock) > 80
    print(f"{backend}: Keras passes {len(stock)}, ours {len(ours)}")
    assert stock - ours <= {*DIFFERENCES}, others

"""The promises of losses, metrics and schedules, each for the whole table.

Right, under XLA, kept in a file, with weights, with void labels, in half precision, and
where a class is masked by a logit of minus infinity. All of it on JAX too.
"""

import inspect

import catalog_losses as catalog
import jax_process
import keras
import numpy as np
import pytest

from kerasseq import training
from tests.training.small_masks import gradient

BATCH_SIZE = 3  # of 8 rows: the last batch is smaller


def parametrized(entries):
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: entry.id)


every = parametrized(catalog.keeping("right"))


def value(thing, *batches):
    """The number that a loss or a new metric gives, as float32."""
    if isinstance(thing, keras.losses.Loss):
        result = thing(*batches[0])
    else:
        for batch in batches:
            thing.update_state(*batch)
        result = thing.result()
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    return float(result)


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def one_row(entry):
    """Labels and logits of one row, whose labels are not all void."""
    labels, logits, _ = entry.batch()
    row = np.argmax((labels != catalog.VOID).reshape(len(labels), -1).any(1))
    return labels[row : row + 1], logits[row : row + 1]


def test_the_table_is_complete():
    kinds = keras.losses.Loss, keras.metrics.Metric
    entries = [*catalog.LOSSES, *catalog.METRICS]
    public = [getattr(training, name) for name in training.__all__]
    classes = [x for x in public if inspect.isclass(x)]
    covered = {entry.covers for entry in entries} - {"token_metrics"}
    assert {x.__name__ for x in classes if issubclass(x, kinds)} == covered
    names = {e.variant for e in entries if e.covers == "token_metrics"}
    assert names == {metric.name for metric in training.token_metrics()}
    schedule = keras.optimizers.schedules.LearningRateSchedule
    schedules = {x.__name__ for x in classes if issubclass(x, schedule)}
    assert schedules == catalog.SCHEDULES.keys()
    for entry in entries:
        assert entry.excused.keys() <= set(catalog.PROMISES), entry.id
        assert all(entry.excused.values()), entry.id
    assert len({entry.id for entry in entries}) == len(entries)


@every
def test_right(entry):
    labels, logits, _ = entry.batch()
    assert_close(value(entry.new(), (labels, logits)), entry.expected(labels, logits))


@parametrized(catalog.LOSSES)
def test_right_gradient(entry):
    """Of one row against differences of the reference, under XLA."""
    labels, logits = one_row(entry)
    found = gradient(entry.new(), labels, logits)
    expected, logits = np.zeros(found.shape), logits.astype("float64")
    for place in np.ndindex(found.shape):
        step = np.zeros(logits.shape)
        step[0][place] = 1e-5
        above, below = (entry.expected(labels, logits + s) for s in (step, -step))
        expected[place] = (above - below) / 2e-5
    np.testing.assert_allclose(found, expected, atol=1e-4)


@every
def test_weights(entry):
    labels, logits, weights = entry.batch()
    found = value(entry.new(), (labels, logits, weights))
    assert_close(found, entry.expected(labels, logits, weights))


@every
def test_weights_of_rows(entry):
    labels, logits, _ = entry.batch()
    rows = np.random.default_rng(1).integers(1, 4, len(labels)).astype("float32")
    found = value(entry.new(), (labels, logits, rows))
    shape = (-1,) + (1,) * (labels.ndim - 1)
    weights = np.broadcast_to(rows.reshape(shape), labels.shape)
    assert_close(found, entry.expected(labels, logits, weights))


@every
def test_a_row_of_weight_zero_is_left_out(entry):
    labels, logits, _ = entry.batch()
    weights = np.ones(labels.shape, "float32")
    weights[3:] = 0
    found = value(entry.new(), (labels, logits, weights))
    assert_close(found, value(entry.new(), (labels[:3], logits[:3])))


@every
def test_without_any_weight_it_is_zero(entry):
    labels, logits, weights = entry.batch()
    assert value(entry.new(), (labels, logits, 0 * weights)) == 0


@parametrized(catalog.keeping("void"))
def test_void_is_left_out(entry):
    labels, logits, weights = entry.batch()
    void = labels == catalog.VOID
    assert void.any() and not void.all()
    others = np.where(void[..., None], -logits, logits)
    pairs = [(labels, x, weights) for x in (logits, others)]
    first, second = (value(entry.new(), pair) for pair in pairs)
    if entry.covers != "BoundaryIoU":  # a prediction there makes edges elsewhere
        assert_close(second, first)
    assert_close(second, entry.expected(*pairs[1]))
    everything = np.full_like(labels, catalog.VOID)
    assert value(entry.new(), (everything, logits)) == 0


@parametrized(catalog.METRICS)
def test_several_batches_are_as_the_whole(entry):
    whole = entry.batch()
    parts = [[part[rows] for part in whole] for rows in (slice(3), slice(3, None))]
    metric = entry.new()
    assert_close(value(metric, *parts), entry.expected(*whole))
    metric.reset_state()
    assert_close(value(metric, parts[0]), entry.expected(*parts[0]))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@every
def test_half_precision_is_computed_in_float32(entry, dtype):
    labels, logits, weights = entry.batch()
    low = keras.ops.cast(100 * logits, dtype)  # far beyond what exp() holds
    rounded = keras.ops.convert_to_numpy(keras.ops.cast(low, "float32"))
    found = value(entry.new(), (labels, low, weights))
    assert_close(found, entry.expected(labels, rounded, weights))


@pytest.mark.parametrize("kind", ["int64", "float64", "uint8"])
@every
def test_types_as_numpy_makes_them(entry, kind):
    labels, logits, weights = entry.batch()
    batch = labels.astype(kind), logits.astype("float64"), weights.astype("int64")
    assert_close(value(entry.new(), batch), entry.expected(labels, logits, weights))


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has no float64 unless asked for"
)
@every
def test_another_floatx(entry):
    keras.config.set_floatx("float64")
    try:
        thing = entry.new()
        labels, logits, weights = entry.batch()
        if isinstance(thing, keras.losses.Loss):
            found = thing(labels, logits.astype("float64"), weights)
        else:
            thing.update_state(labels, logits.astype("float64"), weights)
            found = thing.result()
        assert_close(float(found), entry.expected(labels, logits, weights))
    finally:
        keras.config.set_floatx("float32")


@parametrized(catalog.keeping("masked"))
def test_a_class_that_is_masked(entry):
    labels, logits, weights = entry.batch()
    labels[labels == 2] = 1
    logits[..., 2] = -np.inf
    found = value(entry.new(), (labels, logits, weights))
    assert_close(found, entry.expected(labels, logits, weights))


@parametrized([e for e in catalog.keeping("masked") if e in catalog.LOSSES])
def test_the_gradient_where_a_class_is_masked(entry):
    labels, logits = one_row(entry)
    labels[labels == 2] = 1
    logits[..., 2] = -1e30  # the smallest that `Offset` may add to
    assert np.isfinite(gradient(entry.new(), labels, logits)).all()


@parametrized([e for e in catalog.keeping("masked") if e in catalog.LOSSES])
def test_a_masked_label_without_weight_costs_nothing(entry):
    labels, logits, weights = entry.batch()
    masked = labels == 2
    labels[masked], weights[masked], logits[..., 2] = 1, 0, -np.inf
    expected = entry.expected(labels, logits, weights)
    labels[masked] = 2
    assert_close(value(entry.new(), (labels, logits, weights)), expected)


def compiled_together(entries, layer):
    """Compiles a model with a loss or metric for each of its outputs, under XLA.

    Args:
        entries: Entries.
        layer: Makes the layer of a name that turns an entry's logits into an output.
    """
    inputs, outputs = {}, {}
    for entry in entries:
        name = f"{entry.id}_logits"
        inputs[name] = keras.Input(entry.logits_shape[1:], name=name)
        outputs[entry.id] = layer(entry.id)(inputs[name])
    losses = {e.id: e.new() for e in entries if e in catalog.LOSSES}
    metrics = {e.id: e.new() for e in entries if e in catalog.METRICS}
    model = keras.Model(inputs, outputs)
    optimizer = keras.optimizers.Adam(0.1)
    model.compile(optimizer, losses, weighted_metrics=metrics, jit_compile=True)
    return model


def batches(entries):
    """Labels, logits and weights of all entries, each a dict."""
    labels, logits, weights = {}, {}, {}
    for entry in entries:
        labels[entry.id], x, weights[entry.id] = entry.batch()
        logits[f"{entry.id}_logits"] = x
    return labels, logits, weights


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """What `evaluate` says of a saved model with all of them, under XLA.

    By rows: of the first batch alone, of the last and smaller one, of all.
    """
    path = tmp_path_factory.mktemp("losses") / "model.keras"
    entries = [*catalog.LOSSES, *catalog.METRICS]
    compiled_together(entries, lambda name: keras.layers.Identity(name=name)).save(path)
    model = keras.saving.load_model(path)
    assert model.jit_compile
    options = {"batch_size": BATCH_SIZE, "verbose": 0, "return_dict": True}
    logs = {}
    for rows in ((0, 3), (6, 8), (0, 8)):
        labels, logits, weights = (
            {name: x[slice(*rows)] for name, x in part.items()}
            for part in batches(entries)
        )
        logs[rows] = model.evaluate(logits, labels, sample_weight=weights, **options)
    return logs


@pytest.mark.parametrize("rows", [(0, 3), (6, 8)])
@parametrized(catalog.LOSSES)
def test_a_saved_loss_under_xla(entry, rows, logs):
    batch = [part[slice(*rows)] for part in entry.batch()]
    assert_close(logs[rows][f"{entry.id}_loss"], entry.expected(*batch))


@parametrized(catalog.METRICS)
def test_a_saved_metric_under_xla_with_a_smaller_last_batch(entry, logs):
    found = logs[0, 8][f"{entry.id}_{entry.new().name}"]
    assert_close(found, entry.expected(*entry.batch()))


@every
def test_config(entry):
    thing = entry.new()
    module = keras.losses if entry in catalog.LOSSES else keras.metrics
    again = module.deserialize(module.serialize(thing))
    assert type(again) is type(thing)
    assert again.get_config() == thing.get_config()
    batch = entry.batch()
    assert value(again, batch) == value(entry.new(), batch)
    arguments = inspect.signature(type(thing)).parameters
    assert thing.get_config().keys() == arguments.keys()
    if not type(thing).__module__.startswith("keras."):
        name = keras.saving.get_registered_name(type(thing))
        assert name == f"kerasseq>{type(thing).__name__}"


@pytest.mark.slow
def test_they_train_in_half_precision_under_xla():
    """With a smaller last batch, all at once; each loss falls and stays finite."""
    entries = [e for e in catalog.LOSSES if not e.variant and e.class_axes == 1]
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled_together(
            entries,
            lambda name: keras.layers.Dense(catalog.NUM_CLASSES, name=name),
        )
    finally:
        keras.config.set_dtype_policy("float32")
    assert {x.dtype for x in model.outputs} == {"float16"}
    labels, logits, weights = batches(entries)
    for name, classes in labels.items():  # what can be learned
        following = (logits[f"{name}_logits"].argmax(-1) + 1) % catalog.NUM_CLASSES
        np.copyto(classes, following, where=classes != catalog.VOID)
    options = {"batch_size": BATCH_SIZE, "epochs": 8, "verbose": 0}
    history = model.fit(logits, labels, sample_weight=weights, **options).history
    assert model.jit_compile and np.isfinite(list(history.values())).all()
    for entry in entries:
        losses = history[f"{entry.id}_loss"]
        assert losses[-1] < 0.9 * losses[0], entry.id


@pytest.mark.parametrize("name", catalog.SCHEDULES)
def test_schedule(name):
    arguments, reference = catalog.SCHEDULES[name]
    schedule = getattr(training, name)(**arguments)
    for step in (0, 1, 7, 40, 41, 5000):
        assert_close(float(schedule(step)), reference(step, **arguments))
    schedules = keras.optimizers.schedules
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config() == arguments
    assert keras.saving.get_registered_name(type(again)) == f"kerasseq>{name}"


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="this is the other half"
)
def test_all_of_it_holds_on_jax():
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    result = jax_process.run(*command)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from kerasseq.training import DiceScore, MeanIoU, PixelAccuracy
from tests.training.small_masks import certain, filled_up, random_masks, train_on_blobs

REGION_METRICS = [(MeanIoU, jaccard_score), (DiceScore, f1_score)]
FACTORIES = {
    "mean_iou": lambda **settings: MeanIoU(3, **settings),
    "dice_score": lambda **settings: DiceScore(3, **settings),
    "pixel_accuracy": PixelAccuracy,
}
all_metrics = pytest.mark.parametrize("new", FACTORIES.values(), ids=FACTORIES)


def updated(metric, *batches):
    for batch in batches:
        metric.update_state(*batch)
    return float(metric.result())


def by_scikit_learn(score, labels, logits, weights, **settings):
    flat = labels.ravel(), logits.argmax(-1).ravel()
    return score(*flat, sample_weight=weights.ravel(), **settings)


@pytest.mark.parametrize("metric, score", REGION_METRICS)
def test_pools_batches_like_scikit_learn(metric, score):
    batches = [random_masks(seed) for seed in range(3)]
    parts = [np.concatenate(part) for part in zip(*batches, strict=True)]
    value = updated(metric(3), *batches)
    expected = by_scikit_learn(score, *parts, average="macro")
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("metric, score", REGION_METRICS)
@pytest.mark.parametrize("class_index", range(3))
def test_one_class(metric, score, class_index):
    batch = random_masks()
    value = updated(metric(3, class_index=class_index), batch)
    expected = by_scikit_learn(score, *batch, average=None)[class_index]
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_accuracy_equals_scikit_learn():
    batch = random_masks()
    expected = by_scikit_learn(accuracy_score, *batch)
    np.testing.assert_allclose(updated(PixelAccuracy(), batch), expected, rtol=1e-6)


@pytest.mark.parametrize("metric, score", REGION_METRICS)
def test_labels_of_images(metric, score):
    batch = random_masks(shape=(50,))
    expected = by_scikit_learn(score, *batch, average="macro")
    np.testing.assert_allclose(updated(metric(3), batch), expected, rtol=1e-6)


@pytest.mark.parametrize("metric, score", REGION_METRICS)
def test_a_class_that_is_nowhere_is_left_out(metric, score):
    labels, logits, weights = random_masks()
    more = np.pad(logits, [(0, 0)] * 3 + [(0, 2)], constant_values=-200)
    expected = updated(metric(3), (labels, logits, weights))
    np.testing.assert_allclose(updated(metric(5), (labels, more, weights)), expected)


def test_a_class_that_is_only_predicted_scores_zero():
    batch = np.array([[[0, 0]]]), certain([[[0, 2]]])
    assert updated(MeanIoU(3), batch) == 0.25


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")
@pytest.mark.parametrize("num_classes", [3, 5])
def test_equals_keras_where_that_suffices(num_classes):
    labels, logits, _ = random_masks()
    more = np.pad(logits, [(0, 0)] * 3 + [(0, num_classes - 3)], constant_values=-200)
    twin = keras.metrics.MeanIoU(num_classes, sparse_y_pred=False, ignore_class=255)
    labels[:, 0] = 255
    value = updated(MeanIoU(num_classes, ignore_class=255), (labels, more))
    np.testing.assert_allclose(value, updated(twin, (labels, more)), rtol=1e-5)


@pytest.mark.parametrize("void", [255, -1])
@all_metrics
def test_void_counts_like_weight_zero(new, void):
    labels, logits, weights = random_masks()
    expected = updated(new(), (labels, logits, weights))
    labels = np.where(weights > 0, labels, void)
    assert updated(new(ignore_class=void), (labels, logits)) == expected


@pytest.mark.parametrize("metric", [MeanIoU, DiceScore])
def test_a_void_class_inside_is_left_out_of_the_mean(metric):
    labels = np.array([[[0, 1, 2, 2]]])
    predicted = certain([[[0, 1, 0, 1]]])
    assert updated(metric(3, ignore_class=2), (labels, predicted)) == 1
    predicted = certain([[[0, 2, 0, 1]]])
    assert updated(metric(3, ignore_class=2), (labels, predicted)) == 0.5


@pytest.mark.parametrize("weights", [np.ones(4, "float32"), random_masks()[2]])
@all_metrics
def test_a_row_of_weight_zero_counts_nowhere(new, weights):
    labels, logits, _ = random_masks()
    expected = updated(new(), (labels, logits, weights))
    filled = filled_up(labels, logits, weights)
    np.testing.assert_allclose(updated(new(), filled), expected, rtol=1e-6)


@all_metrics
def test_nothing_is_zero(new):
    assert float(new().result()) == 0
    labels, logits, weights = random_masks()
    assert updated(new(), (labels, logits, 0 * weights)) == 0


def test_a_class_alone_that_is_nowhere_is_zero():
    batch = np.array([[[0, 0]]]), certain([[[0, 0]]])
    assert updated(MeanIoU(3, class_index=2), batch) == 0


@all_metrics
def test_reset(new):
    metric = new()
    first = updated(metric, random_masks(0))
    metric.reset_state()
    assert updated(metric, random_masks(1)) != first
    metric.reset_state()
    assert updated(metric, random_masks(0)) == first


def test_under_xla_the_same_and_better_each_epoch():
    metrics = [
        MeanIoU(2, ignore_class=255),
        DiceScore(2, ignore_class=255, class_index=1),
        PixelAccuracy(ignore_class=255),
    ]
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=255, reduction=None
    )
    history = train_on_blobs(lambda *pair: keras.ops.mean(loss(*pair)), metrics)
    for metric in metrics:
        assert history[metric.name][-1] > max(0.8, history[metric.name][0])


def test_callbacks_know_that_more_is_better():
    labels, logits, weights = random_masks()
    model = keras.Sequential([keras.Input(logits.shape[1:]), keras.layers.Dense(3)])
    metrics = [new() for new in FACTORIES.values()]
    model.compile("sgd", lambda y, p: keras.ops.mean(p**2), weighted_metrics=metrics)
    stops = [keras.callbacks.EarlyStopping(name) for name in FACTORIES]
    model.fit(
        logits, labels, sample_weight=weights, epochs=2, verbose=0, callbacks=stops
    )
    assert all(stop.monitor_op is keras.ops.greater for stop in stops)


@all_metrics
def test_config_round_trip(new):
    config = {"ignore_class": 255, "name": "score", "dtype": "float32"}
    metric = new(**config)
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert metric.get_config() == again.get_config()
    assert config.items() <= again.get_config().items()
    name = keras.saving.get_registered_name(type(again))
    assert name == f"kerasseq>{type(metric).__name__}"


@pytest.mark.parametrize("metric", [MeanIoU, DiceScore])
def test_config_of_one_class(metric):
    config = metric(3, class_index=1).get_config()
    assert (config["num_classes"], config["class_index"]) == (3, 1)


@pytest.mark.parametrize("class_index", [3, -1, 1])
def test_class_index_must_be_a_class(class_index):
    with pytest.raises(ValueError, match=f"class_index={class_index}"):
        MeanIoU(3, ignore_class=1, class_index=class_index)


def test_logits_of_another_number_of_classes():
    with pytest.raises(ValueError, match="num_classes=4"):
        updated(MeanIoU(4), random_masks())


@all_metrics
def test_masks_with_a_last_axis_are_refused(new):
    labels, logits, _ = random_masks()
    with pytest.raises(ValueError, match=r"masks\[\.\.\., 0\]"):
        updated(new(), (labels[..., None], logits))

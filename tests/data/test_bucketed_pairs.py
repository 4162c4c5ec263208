import jax_process
import keras
import numpy as np
import pytest

from kerasseq.data import bucketed_pairs

BUCKETS = [(4, 4), (8, 12)]


def make_pairs(count, seed=0):
    lengths = np.random.default_rng(seed).integers(1, 8, (count, 2))
    return [([10 + i] * s, [10 + i] * t) for i, (s, t) in enumerate(lengths.tolist())]


def rows_of(dataset):
    """The pairs of each batch, by the number that stands in them."""
    return [dataset[i][0]["source"][:, 0].tolist() for i in range(len(dataset))]


def test_one_batch_by_hand():
    dataset = bucketed_pairs.BucketedPairs(
        [([7, 8], [9]), ([5], [6, 6, 6])], [(4, 4)], batch_size=3, shuffle=False
    )
    inputs, labels, sample_weight = dataset[0]
    none = [0, 0, 0, 0]
    assert len(dataset) == 1
    assert inputs["source"].tolist() == [[7, 8, 3, 0], [5, 3, 0, 0], none]
    assert inputs["target"].tolist() == [[2, 9, 0, 0], [2, 6, 6, 6], none]
    assert labels.tolist() == [[9, 3, 0, 0], [6, 6, 6, 3], none]
    assert sample_weight.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1], none]
    dtypes = [a.dtype for a in (inputs["source"], inputs["target"], labels)]
    assert dtypes == ["int32"] * 3 and sample_weight.dtype == "float32"
    assert dataset.num_tokens == dataset.tokens_in_batch(0) == 6


def test_every_pair_once_in_the_smallest_bucket_that_holds_it():
    pairs = [([1] * 3, [1] * 3), ([1] * 4, [1]), ([1], [1] * 4), ([1] * 7, [1] * 11)]
    pairs += [([1] * 8, [1]), ([1], [1] * 12)]
    dataset = bucketed_pairs.BucketedPairs(pairs, BUCKETS, batch_size=2)
    assert (dataset.num_pairs, dataset.num_dropped) == (4, 2)
    assert dataset.shapes == [(2, 4, 4), (2, 8, 12)]
    assert len(dataset) == 1 + 2
    assert dataset.num_tokens == sum(map(dataset.tokens_in_batch, range(3))) == 23


def test_batches_of_tokens():
    pairs = make_pairs(100)
    dataset = bucketed_pairs.BucketedPairs(pairs, BUCKETS, batch_tokens=200)
    assert dataset.shapes == [(48, 4, 4), (16, 8, 12)]
    for index in range(len(dataset)):
        inputs, _, _ = dataset[index]
        assert max(x.size for x in inputs.values()) <= 200
    seen = [row for batch in rows_of(dataset) for row in batch if row]
    assert len(seen) == len(set(seen)) == dataset.num_pairs


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "Pass either"),
        ({"batch_size": 2, "batch_tokens": 20}, "Pass either"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_tokens": 11}, "batch_tokens=11"),
    ],
)
def test_bad_batches(options, message):
    with pytest.raises(ValueError, match=message):
        bucketed_pairs.BucketedPairs(make_pairs(9), BUCKETS, **options)


def test_shapes_in_use_only():
    dataset = bucketed_pairs.BucketedPairs([([1], [1])], BUCKETS, batch_size=5)
    assert dataset.shapes == [(5, 4, 4)]


def test_order_is_a_function_of_seed_and_epoch():
    pairs = make_pairs(40)

    def rows(**kwargs):
        return rows_of(bucketed_pairs.BucketedPairs(pairs, BUCKETS, 4, **kwargs))

    first, second = rows(seed=1, epoch=0), rows(seed=1, epoch=1)
    assert first == rows(seed=1) and first != second != rows(seed=2, epoch=1)
    for batches in (first, second):
        assert sorted(i for b in batches for i in b if i) == list(range(10, 50))
    assert {frozenset(b) for b in first} != {frozenset(b) for b in second}
    assert rows(shuffle=False, epoch=0) == rows(shuffle=False, epoch=1)


def test_without_shuffle_sorted_by_length_within_a_bucket():
    pairs = [([1], [1] * 3), ([2], [2]), ([3], [3] * 2)]
    dataset = bucketed_pairs.BucketedPairs(pairs, [(4, 4)], 3, shuffle=False)
    assert rows_of(dataset) == [[2, 3, 1]]


@pytest.mark.parametrize("epoch", range(5))
@pytest.mark.parametrize("buckets", [[(4, 4), (4, 8), (8, 8)], [(4, 8), (8, 8)]])
def test_first_two_batches_differ_in_all_lengths_that_differ(epoch, buckets):
    pairs = make_pairs(60)
    dataset = bucketed_pairs.BucketedPairs(pairs, buckets, 4, epoch=epoch)
    first, second = (dataset[i][0] for i in range(2))
    assert first["source"].shape == (4, buckets[0][0])
    assert first["target"].shape == (4, buckets[0][1])
    assert second["source"].shape == second["target"].shape == (4, 8)


class Recorder(bucketed_pairs.BucketedPairs):
    """Remembers what `fit` asked for while an epoch was running."""

    def on_epoch_begin(self):
        super().on_epoch_begin()
        self.served = {}
        self.log = {**getattr(self, "log", {}), self.epoch: self.served}

    def __getitem__(self, index):
        inputs, labels, sample_weight = super().__getitem__(index)
        if hasattr(self, "served"):
            self.served.setdefault(index, inputs["source"][:, 0].tolist())
        return inputs, labels, sample_weight


def make_model():
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    embed = keras.layers.Embedding(60, 4)
    context = keras.layers.GlobalAveragePooling1D(keepdims=True)(embed(source))
    outputs = keras.layers.Dense(60)(embed(target) + context)
    model = keras.Model({"source": source, "target": target}, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, jit_compile=True)
    return model


def test_fit_on_several_buckets_and_resume():
    pairs = make_pairs(30)
    whole = Recorder(pairs, BUCKETS, 4, seed=5)
    model = make_model()
    model.fit(whole, validation_data=Recorder(pairs, BUCKETS, 4), epochs=3, verbose=0)
    assert whole.epoch == 3
    assert sorted(whole.log) == [0, 1, 2]

    resumed = Recorder(pairs, BUCKETS, 4, seed=5, epoch=2)
    model.fit(resumed, initial_epoch=2, epochs=3, verbose=0)
    assert resumed.log == {2: whole.log[2]}
    for epoch in range(3):
        fresh = bucketed_pairs.BucketedPairs(pairs, BUCKETS, 4, seed=5, epoch=epoch)
        assert [whole.log[epoch][i] for i in range(len(whole))] == rows_of(fresh)


def test_a_single_batch_is_an_epoch_too():
    dataset = Recorder([([7], [8])], [(4, 4)], 2)
    make_model().fit(dataset, epochs=2, verbose=0)
    assert dataset.epoch == 2


def test_an_epoch_broken_off_is_not_counted():
    dataset = bucketed_pairs.BucketedPairs(make_pairs(20), BUCKETS, 4)
    dataset.on_epoch_end()
    dataset.on_epoch_begin()
    dataset[0]
    dataset.on_epoch_end()
    assert dataset.epoch == 0
    dataset.on_epoch_begin()
    rows_of(dataset)
    dataset.on_epoch_end()
    assert dataset.epoch == 1


def test_jax_backend_without_tensorflow():
    code = """
import sys
sys.modules["tensorflow"] = None
import keras
from kerasseq import data
pairs = [([i] * (1 + i % 6), [i] * (1 + i % 5)) for i in range(10, 40)]
buckets = data.choose_buckets(pairs, 2)
dataset = data.BucketedPairs(pairs, buckets, 4)
layer = keras.layers.Embedding(60, 60)
source, target = (keras.Input((None,), name=name) for name in ("source", "target"))
model = keras.Model({"source": source, "target": target}, layer(target))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("sgd", loss)
model.fit(dataset, epochs=2, verbose=0)
print(dataset.epoch, len(dataset.shapes))
"""
    done = jax_process.run("-c", code)
    assert done.stdout.split() == ["2", "2"], done.stderr


def test_choose_buckets_by_hand():
    # Lengths with END and START: 2 to 9 and 3 to 10; the median from above is 6 and 7.
    pairs = [([1] * n, [1] * (n + 1)) for n in range(1, 9)]
    choose = bucketed_pairs.choose_buckets
    assert choose(pairs, 1, multiple=1) == [(9, 10)]
    assert choose(pairs, 2, multiple=1) == [(6, 7), (9, 10)]
    assert choose(pairs, 2) == [(8, 8), (12, 12)]
    assert choose(pairs, 4) == [(8, 8), (8, 12), (12, 12)]
    assert choose(pairs, 2, max_length=9, multiple=1) == [(5, 6), (8, 9)]
    assert choose(pairs, 2, max_length=10) == [(8, 8), (10, 10)]


def test_the_last_bucket_holds_all_pairs():
    pairs = make_pairs(50)
    for num_buckets in (1, 3, 6):
        buckets = bucketed_pairs.choose_buckets(pairs, num_buckets)
        dataset = bucketed_pairs.BucketedPairs(pairs, buckets, 4)
        assert len(buckets) <= num_buckets and dataset.num_dropped == 0


def test_errors():
    pair = ([1], [1])
    build = bucketed_pairs.BucketedPairs
    for buckets in ([], [(8, 8), (4, 4)], [(4, 8), (8, 4)], [(4, 4)] * 2, [(0, 4)]):
        with pytest.raises(ValueError, match="grow in both"):
            build([pair], buckets, 4)
    with pytest.raises(ValueError, match="batch_size=0"):
        build([pair], BUCKETS, 0)
    with pytest.raises(ValueError, match="use_multiprocessing=True"):
        build([pair], BUCKETS, 4, use_multiprocessing=True)
    with pytest.raises(ValueError, match="No pair fits.*1 pairs"):
        build([([1] * 99, [1])], BUCKETS, 4)
    with pytest.raises(ValueError, match="num_buckets=0"):
        bucketed_pairs.choose_buckets([pair], 0)
    with pytest.raises(ValueError, match="1 pairs, max_length=1"):
        bucketed_pairs.choose_buckets([pair], max_length=1)
    with pytest.raises(ValueError, match="0 pairs"):
        bucketed_pairs.choose_buckets([])

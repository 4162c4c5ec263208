"""Trains a part-of-speech tagger of stock Keras, without kerasseq.

`benchmarks.stock_tagger` runs it as
`python -m benchmarks.stock_tagger_baseline TRAIN DEV MODEL VOCABULARY EPOCHS`.
"""

import collections
import json
import sys

import keras
import numpy as np

from benchmarks import conllu

UNITS, WORD_DIM, SUFFIX_DIM = 128, 96, 48
LENGTH, BATCH_SIZE, SEED = 32, 32, 0
UNKNOWN = conllu.UNKNOWN  # 0 is padding


def build(num_words, num_suffixes, num_tags):
    """Builds the tagger: embeddings of word and suffix, a BiLSTM, a softmax."""
    words = keras.Input((None,), dtype="int32", name="words")
    suffixes = keras.Input((None,), dtype="int32", name="suffixes")
    embed = keras.layers.Embedding
    x = keras.layers.Concatenate()(
        [
            embed(num_words, WORD_DIM, mask_zero=True)(words),
            embed(num_suffixes, SUFFIX_DIM, mask_zero=True)(suffixes),
        ]
    )
    x = keras.layers.Dropout(0.4)(x)
    lstm = keras.layers.LSTM(UNITS, return_sequences=True)
    x = keras.layers.Bidirectional(lstm)(x)
    x = keras.layers.Dropout(0.4)(x)
    tags = keras.layers.Dense(num_tags, "softmax", name="tags")(x)
    return keras.Model({"words": words, "suffixes": suffixes}, tags)


def vocabularies(sentences):
    """Dicts of ids: words and suffixes that occur at least twice, and tags."""
    pairs = [pair for sentence in sentences for pair in sentence]
    words = collections.Counter(conllu.word_key(word) for word, _ in pairs)
    suffixes = collections.Counter(conllu.suffix_key(word) for word, _ in pairs)

    def ids(counts):
        kept = sorted(key for key, count in counts.items() if count > 1)
        return {key: index + UNKNOWN + 1 for index, key in enumerate(kept)}

    tags = {tag: index for index, tag in enumerate(sorted({tag for _, tag in pairs}))}
    return {"words": ids(words), "suffixes": ids(suffixes), "tags": tags}


def main(train_path, dev_path, model_path, vocabulary_path, epochs):
    """Trains on sentences truncated to `LENGTH` words."""
    keras.utils.set_random_seed(SEED)
    train = conllu.read(train_path)
    vocabulary = vocabularies(train)
    inputs, tags, weights = conllu.encode(train, vocabulary, LENGTH)
    dev = conllu.encode(conllu.read(dev_path), vocabulary, LENGTH)
    sizes = [len(vocabulary[k]) + UNKNOWN + 1 for k in ("words", "suffixes")]
    model = build(*sizes, len(vocabulary["tags"]))
    model.compile(
        keras.optimizers.Adam(2e-3, global_clipnorm=5.0),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
        jit_compile=True,
    )
    order = np.random.default_rng(SEED).permutation(len(tags))
    order = order[: len(order) // BATCH_SIZE * BATCH_SIZE]  # one shape, one compile
    inputs = {name: x[order] for name, x in inputs.items()}
    model.fit(
        inputs,
        tags[order],
        sample_weight=weights[order],
        validation_data=dev,
        batch_size=BATCH_SIZE,
        epochs=int(epochs),
        verbose=2,
    )
    model.save(model_path)
    with open(vocabulary_path, "w", encoding="utf-8") as file:
        json.dump(vocabulary, file)


if __name__ == "__main__":
    main(*sys.argv[1:])

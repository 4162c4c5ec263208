"""The sentences of `recipes.translate`: split, tokenized and batched."""

import numpy as np

import kerasseq
from recipes import training_run, translate_model

# Flags that may differ when a run is resumed.
FREE_FLAGS = ("validation_data", "test_data", "translate", "from", "nbest")
FREE_FLAGS += ("beam_size", "length_penalty", "quantize")


def load_data(values, run_dir):
    """Loads, tokenizes and batches the data.

    Returns:
        A dict: `text` (a `ParallelText`), `tokenizer`, `train`, `validation`
        (batches), and `settings`, what a resumed run must share.
    """
    data = kerasseq.data
    text = data.load_parallel_text(
        values.data,
        validation_data=values.validation_data,
        test_data=values.test_data,
        data_dir=values.data_dir,
        source_locale=values.source_locale,
        target_locale=values.target_locale,
        num_examples=values.num_examples,
        seed=values.seed,
        lowercase=values.lowercase,
    )
    print(f"data: {text.name}, {text.num_empty} empty pairs left out")
    subwords = run_dir / "subwords.model"
    if values.resume and subwords.exists():
        tokenizer = data.load_subwords(subwords)
    else:
        sentences = (sentence for pair in text.train for sentence in pair)
        tokenizer = data.train_subwords(sentences, values.vocab_size, subwords)
        (run_dir / "state.npz").unlink(missing_ok=True)  # of an earlier run
    train, validation = (
        _encoded(tokenizer, pairs) for pairs in (text.train, text.validation)
    )
    buckets = data.choose_buckets(train, values.buckets, values.max_length)
    size = {"batch_size": values.batch_size}
    if values.batch_tokens is not None:
        size = {"batch_tokens": values.batch_tokens}
    batches = {
        "train": data.BucketedPairs(train, buckets, seed=values.seed, **size),
        "validation": data.BucketedPairs(validation, buckets, shuffle=False, **size),
    }
    for name, part in batches.items():
        print(
            f"{name}: {part.num_pairs} pairs in buckets {part.shapes}, "
            f"{part.num_dropped} over-long pairs dropped"
        )
    print(f"test: {len(text.test)} pairs")
    contents = [repr([text.train, text.validation]).encode()]
    free = (*FREE_FLAGS, *translate_model.free_flags(values))
    settings = training_run.fingerprint(values, contents, free)
    return {"text": text, "tokenizer": tokenizer, "settings": settings} | batches


def _encoded(tokenizer, pairs):
    sides = zip(*pairs, strict=True)
    encode = kerasseq.data.encode_sentences
    return list(zip(*(encode(tokenizer, side) for side in sides), strict=True))


def lengths(data):
    """The longest bucket: source and target length."""
    return data["train"].buckets[-1]


def padded_sources(values, data):
    length = lengths(data)[0]
    sources = [source for source, _ in data["text"].test]
    ids = kerasseq.data.encode_sentences(data["tokenizer"], sources)
    padded = np.zeros((len(ids), length), "int32")
    for row, sentence in zip(padded, ids, strict=True):
        kept = [*sentence[: length - 1], kerasseq.data.END_ID]
        row[: len(kept)] = kept
    return padded, sum(len(sentence) >= length for sentence in ids)


def texts(data, tokens):
    return kerasseq.data.decode_ids(data["tokenizer"], tokens)

"""The sentences of `recipes.translate`: split, tokenized and batched."""

import numpy as np

import kerasseq
from recipes.shared import training_run
from recipes.translate import model as translate_model

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("validation_data", "test_data", "translate", "from", "nbest")
UNFINGERPRINTED += ("beam_size", "length_penalty", "quantize")


def load_data(flags, run_dir):
    """Loads, tokenizes and batches the data.

    Returns:
        A dict: `text` (a `ParallelText`), `tokenizer`, `train`, `validation`
        (batches), and `settings`, what a resumed run must share.
    """
    data = kerasseq.data
    text = data.load_parallel_text(
        flags.data,
        validation_data=flags.validation_data,
        test_data=flags.test_data,
        data_dir=flags.data_dir,
        source_locale=flags.source_locale,
        target_locale=flags.target_locale,
        num_examples=flags.num_examples,
        seed=flags.seed,
        lowercase=flags.lowercase,
    )
    print(f"data: {text.name}, {text.num_empty} empty pairs left out")
    subwords = run_dir / "subwords.model"
    if flags.resume and subwords.exists():
        tokenizer = data.load_subwords(subwords)
    else:
        sentences = (sentence for pair in text.train for sentence in pair)
        tokenizer = data.train_subwords(sentences, flags.vocab_size, subwords)
        (run_dir / "state.npz").unlink(missing_ok=True)  # of an earlier run
    train, validation = (
        _encoded(tokenizer, pairs) for pairs in (text.train, text.validation)
    )
    buckets = data.choose_buckets(train, flags.buckets, flags.max_length)
    size = {"batch_size": flags.batch_size}
    if flags.batch_tokens is not None:
        size = {"batch_tokens": flags.batch_tokens}
    batches = {
        "train": data.BucketedPairs(train, buckets, seed=flags.seed, **size),
        "validation": data.BucketedPairs(validation, buckets, shuffle=False, **size),
    }
    for name, part in batches.items():
        print(
            f"{name}: {part.num_pairs} pairs in buckets {part.shapes}, "
            f"{part.num_dropped} over-long pairs dropped"
        )
    print(f"test: {len(text.test)} pairs")
    contents = [repr([text.train, text.validation]).encode()]
    free = (*UNFINGERPRINTED, *translate_model.free_flags(flags))
    settings = training_run.fingerprint(flags, contents, free)
    return {"text": text, "tokenizer": tokenizer, "settings": settings} | batches


def _encoded(tokenizer, pairs):
    sides = zip(*pairs, strict=True)
    encode = kerasseq.data.encode_sentences
    return list(zip(*(encode(tokenizer, side) for side in sides), strict=True))


def lengths(data):
    """The longest bucket: source and target length."""
    return data["train"].buckets[-1]


def padded_sources(flags, data):
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

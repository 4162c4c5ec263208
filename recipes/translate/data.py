"""The sentences of `recipes.translate`: split, tokenized and batched."""

import numpy as np

import kerasseq
from recipes.shared import command_line, optimizer_flags, run_folder, training_run
from recipes.translate import model as translate_model

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("validation_data", "test_data", "translate", "num_best")
UNFINGERPRINTED += ("beam_size", "length_penalty", "quantize")
SUBWORDS = "subwords.model"
LONGEST = 64  # subwords of a sentence, unless --max_length says otherwise


def define_flags(flags):
    """Adds the flags about the sentences and their batches."""
    define = command_line.definer(flags, "data")
    define("string", "validation_data", None, "Like --data; else a part of it.")
    define("string", "test_data", None, "Like --data; else a part of it.")
    define("string", "source_locale", "en", "Locale of the synthetic source.")
    define("string", "target_locale", "de", "Locale of the synthetic target.")
    define(
        "integer",
        "num_examples",
        24000,
        "Synthetic examples.",
        **command_line.COUNT | {"lower_bound": 100},
    )
    define("bool", "lowercase", False, "Lower-case both sides.")
    text = "Subwords of both languages together; else 1,000, or what the text allows."
    define("integer", "vocab_size", 1000, text, **command_line.COUNT)
    text = "Subwords that a sentence may have, in the file too; else as many as the "
    text += f"longest of the data has, up to {LONGEST}."
    define("integer", "max_length", None, text, lower_bound=4, upper_bound=4096)
    define("integer", "buckets", 3, "Length buckets at most.", **command_line.LAYERS)
    text = "Tokens per batch, padding included, in place of --batch_size."
    define("integer", "batch_tokens", None, text, **command_line.COUNT)


def load(flags, run_dir):
    """Loads, tokenizes and batches the data.

    Args:
        flags: The flags of the recipe.
        run_dir: Folder of the run, a `pathlib.Path`; the subwords are kept there.

    Returns:
        A dict: `text` (a `ParallelText`), `tokenizer`, `train`, `validation`
        (batches), and `settings`, what a resumed run must have in common.
    """
    text = load_text(flags)
    print(f"data: {text.name}, {text.num_empty} empty pairs left out")
    tokenizer = _tokenizer(flags, text, run_dir)
    batches = _batches(flags, text, tokenizer)
    for name, part in batches.items():
        print(
            f"{name}: {part.num_pairs} pairs in buckets {part.shapes}, "
            f"{part.num_dropped} over-long pairs dropped"
        )
    print(f"test: {len(text.test)} pairs")
    optimizer_flags.bound_warmup(flags, len(batches["train"]) // flags.accumulate)
    contents = [repr([text.train, text.validation]).encode()]
    free = (*UNFINGERPRINTED, *translate_model.free_flags(flags))
    proto = tokenizer.serialized_model_proto()
    settings = training_run.fingerprint(flags, contents, free, proto)
    return {"text": text, "tokenizer": tokenizer, "settings": settings} | batches


def load_text(flags):
    """The pairs of sentences, a `kerasseq.data.ParallelText`."""
    return kerasseq.data.load_parallel_text(
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


def _tokenizer(flags, text, run_dir):
    """That of the resumed run, or a new one of the training sentences."""
    if flags.resume:
        return kerasseq.data.load_subwords(run_folder.kept(run_dir, SUBWORDS))
    sentences = (sentence for pair in text.train for sentence in pair)
    fit_size = not flags["vocab_size"].present
    tokenizer = kerasseq.data.train_subwords(
        sentences, flags.vocab_size, run_dir / SUBWORDS, fit_size=fit_size
    )
    print(f"vocabulary: {tokenizer.vocab_size()} subwords")
    return tokenizer


def _batches(flags, text, tokenizer):
    data = kerasseq.data
    train, validation = (
        _encoded(tokenizer, pairs) for pairs in (text.train, text.validation)
    )
    longest = flags.max_length
    buckets = data.choose_buckets(train, flags.buckets, longest or LONGEST)
    if longest:  # the file takes what was promised, whatever the data have
        buckets = sorted({*buckets, (longest, longest)})
    size = {"batch_tokens": flags.batch_tokens}
    if flags.batch_tokens is None:
        size = {"batch_size": _batch_size(flags, len(train))}
    return {
        "train": data.BucketedPairs(train, buckets, seed=flags.seed, **size),
        "validation": data.BucketedPairs(validation, buckets, shuffle=False, **size),
    }


def _batch_size(flags, num_pairs):
    reason = f"there are {num_pairs} training pairs"
    command_line.bound_default(flags, "batch_size", num_pairs, reason)
    if flags.batch_size > num_pairs:
        raise ValueError(
            f"--batch_size is at most {num_pairs}, the number of training pairs. "
            f"Received: --batch_size={flags.batch_size}"
        )
    return flags.batch_size


def _encoded(tokenizer, pairs):
    sides = zip(*pairs, strict=True)
    encode = kerasseq.data.encode_sentences
    return list(zip(*(encode(tokenizer, side) for side in sides), strict=True))


def lengths(data):
    """The longest bucket: source and target length."""
    return data["train"].buckets[-1]


def padded_sources(data):
    """The sources of the test split as ids.

    Returns:
        An int32 array `(num_sentences, length)`, padded on the right, and the number
        of sentences that were cut to the length.
    """
    length = lengths(data)[0]
    sources = [source for source, _ in data["text"].test]
    ids = kerasseq.data.encode_sentences(data["tokenizer"], sources)
    padded = np.zeros((len(ids), length), "int32")
    for row, sentence in zip(padded, ids, strict=True):
        kept = [*sentence[: length - 1], kerasseq.data.END_ID]
        row[: len(kept)] = kept
    return padded, sum(len(sentence) >= length for sentence in ids)


def texts(data, tokens):
    """Rows of ids as text, a list."""
    return kerasseq.data.decode_ids(data["tokenizer"], tokens)


def app_files(flags, data, run_dir):
    """What an app needs beside the model: the subwords in two forms, `{name: bytes}`.

    `subwords.model` is for the SentencePiece library, `vocabulary.json` for what has
    none, as a browser.
    """
    vocabulary = run_dir / "vocabulary.json"
    kerasseq.data.save_vocabulary(
        data["tokenizer"], vocabulary, lowercase=flags.lowercase
    )
    return {
        vocabulary.name: vocabulary.read_bytes(),
        SUBWORDS: data["tokenizer"].serialized_model_proto(),
    }

"""Texts, words and batches of `recipes.classify_text`."""

import numpy as np

import kerasseq
from recipes.shared import artifacts, command_line, training_run

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("classify", "quantize", "calibrate", "validation_data", "test_data")
LONGEST = 256  # words, unless --max_length says otherwise


def define_flags(flags):
    """Adds the flags about the texts and their batches."""
    define = command_line.definer(flags, "data")
    define("string", "validation_data", None, "File or folder for validation.")
    define("string", "test_data", None, "File or folder for testing.")
    text = "Column or key of the text, by name or number from 1; else found by name."
    define("string", "text_column", None, text)
    define("string", "label_column", None, "The same of the label.")
    rate = {"lower_bound": 0.0, "upper_bound": 1.0}
    text = "Fraction of the texts for validation, if none are given."
    define("float", "validation_fraction", 0.1, text, **rate)
    text = "Fraction of the texts for the test, if none are given."
    define("float", "test_fraction", 0.1, text, **rate)
    text = "Generated reviews, all splits together."
    define("integer", "num_examples", 6000, text, **command_line.COUNT)
    kinds = ("words", "characters")
    text = "What a text is split into; characters where no spaces are written."
    define("enum", "tokens", "words", text, kinds)
    define("integer", "vocab_size", 20000, "Words at most.", **command_line.COUNT)
    text = "How often a word must occur in the training texts to be known."
    define("integer", "min_count", 1, text, **command_line.COUNT)
    text = "Words of a text that are read, in the file too; else as many as the "
    text += f"longest training text has, up to {LONGEST}."
    define("integer", "max_length", None, text, **command_line.WIDTH)
    define("integer", "buckets", 3, "Lengths of batches.", **command_line.LAYERS)
    text = "Training: fraction of the words that are taken for unknown."
    define("float", "word_dropout", 0.05, text, **command_line.RATE)
    define("bool", "class_weights", False, "Let rare classes count as much.")


def load(flags):
    """Loads, numbers and batches the texts.

    Returns:
        A dict: `texts` (a `LabeledTexts`), `vocabulary` (`Words`), `length` of what the
        file reads, `train`, `validation` (`LabeledTextBatches`), and `settings`, what a
        resumed run must have in common.
    """
    texts = load_texts(flags)
    vocabulary = kerasseq.data.Words.train(
        texts.train[0], flags.vocab_size, flags.min_count, flags.tokens
    )
    print(f"data: {texts.name}, {len(texts.class_names)} classes")
    print(f"vocabulary: {len(vocabulary.words):,} {flags.tokens}")
    _tell_missing(texts)
    batches = _batches(flags, texts, vocabulary)
    contents = [repr([texts.train[0], texts.validation[0]]).encode()]
    contents += [texts.train[1], texts.validation[1]]
    return {
        "texts": texts,
        "vocabulary": vocabulary,
        "length": batches["train"].lengths[-1],
        "settings": training_run.fingerprint(flags, contents, UNFINGERPRINTED),
    } | batches


def _tell_missing(texts):
    """Says which classes have no test text, as a folder of unlabeled ones."""
    missing = np.setdiff1d(np.arange(len(texts.class_names)), texts.test[1])
    if len(missing):
        names = ", ".join(texts.class_names[label] for label in missing[:10])
        print(f"no test text has the label {names}; is it a class?")


def load_texts(flags):
    """The texts and labels, a `kerasseq.data.LabeledTexts`."""
    names = ("validation_data", "test_data", "data_dir", "text_column", "label_column")
    names += ("validation_fraction", "test_fraction", "num_examples", "seed")
    options = {name: flags[name].value for name in names}
    return kerasseq.data.load_labeled_texts(flags.data, **options)


def _batches(flags, texts, vocabulary):
    ids = [vocabulary.encode(text) for text in texts.train[0]]
    most = flags.max_length or LONGEST
    lengths = kerasseq.data.choose_lengths(ids, flags.buckets, most)
    if flags.max_length:  # the file reads what was promised, whatever the texts have
        lengths = sorted({*lengths, flags.max_length})
    shared = {"lengths": lengths, "num_classes": len(texts.class_names)}
    shared["batch_size"] = _batch_size(flags, len(ids))
    kind, weights = kerasseq.data.LabeledTextBatches, None
    if flags.class_weights:
        weights = kerasseq.data.class_weights(texts.train[1])
    found = {
        "train": kind(
            ids,
            texts.train[1],
            class_weights=weights,
            word_dropout=flags.word_dropout,
            seed=flags.seed,
            **shared,
        )
    }
    ids = [vocabulary.encode(text) for text in texts.validation[0]]
    found["validation"] = kind(ids, texts.validation[1], shuffle=False, **shared)
    for name, part in found.items():
        print(
            f"{name}: {part.num_texts} texts in lengths {lengths}, {part.num_cut} cut"
        )
    print(f"test: {len(texts.test[0])} texts")
    return found


def _batch_size(flags, num_texts):
    reason = f"there are {num_texts} training texts"
    command_line.bound_default(flags, "batch_size", num_texts, reason)
    return flags.batch_size


def padded(data, texts):
    """Texts as the exported file reads them, int32 `(num, length)`."""
    length = data["length"]
    rows = np.zeros((len(texts), length), "int32")
    for row, text in zip(rows, texts, strict=True):
        kept = data["vocabulary"].encode(text)[:length]
        row[: len(kept)] = kept
    return rows


def app_files(data):
    """What an app needs beside the model, `{name: bytes}`."""
    names = artifacts.json_bytes(data["texts"].class_names)
    words = data["vocabulary"]
    return {"labels.json": names, words.file_name: words.to_bytes()}

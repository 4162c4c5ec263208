"""The sentences of `recipes.tag`: read, numbered and batched."""

import kerasseq
from recipes.shared import command_line, optimizer_flags, training_run

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("tag", "quantize", "validation_data", "test_data", "per_word")
LONGEST = 128  # words of a sentence, unless --max_length says otherwise
KINDS = ("characters", "suffixes")


def define_flags(flags):
    """Adds the flags about the sentences and their batches."""
    define = command_line.definer(flags, "data")
    define("string", "validation_data", None, "Like --data; else a part of it.")
    define("string", "test_data", None, "Like --data; else a part of it.")
    rate = {"lower_bound": 0.0, "upper_bound": 1.0}
    text = "Fraction of the sentences for validation, if none are given."
    define("float", "validation_fraction", 0.1, text, **rate)
    text = "Fraction of the sentences for the test, if none are given."
    define("float", "test_fraction", 0.1, text, **rate)
    text = "Column of the tag: upos, xpos or another of CoNLL-U, a name of the header "
    text += "of a CSV file, or a number from 2 on; else upos, tag, or the last."
    define("string", "tag_column", None, text)
    text = "Generated sentences."
    count = command_line.COUNT | {"lower_bound": 100}
    define("integer", "num_examples", 4000, text, **count)
    text = "What the model sees of a word beside itself, of characters,suffixes."
    define("list", "word_features", [*KINDS], text)
    text = "Words that the model knows, the most frequent; else all."
    define("integer", "vocab_size", None, text, **command_line.COUNT)
    text = "How often a word must occur in training to be known."
    define("integer", "min_count", 1, text, **command_line.COUNT)
    text = "Fraction of the words that training takes for unknown."
    define("float", "word_dropout", 0.05, text, **command_line.RATE)
    text = "Words that a sentence may have, in the file too; else as many as the "
    text += f"longest of the data has, up to {LONGEST}."
    define("integer", "max_length", None, text, lower_bound=1, upper_bound=4096)
    text = "Characters of a word that count, its last ones."
    define("integer", "word_length", 16, text, lower_bound=1, upper_bound=64)


def load(flags):
    """Loads, numbers and batches the sentences.

    Returns:
        A dict: `sentences` (a `kerasseq.data.TaggedSentences`), `features`, `length`
        (words that the file takes), `train`, `validation` (batches), and `settings`,
        what a resumed run must have in common.
    """
    sentences = load_sentences(flags)
    features = kerasseq.data.WordFeatures.train(
        sentences.train,
        kinds=flags.word_features,
        max_words=flags.vocab_size,
        min_count=flags.min_count,
        word_length=flags.word_length,
    )
    longest = max(len(words) for part in sentences[1:] for words, _ in part)
    length = flags.max_length or min(longest, LONGEST)
    sizes = (f"{size:,} {name}" for name, size in features.sizes().items())
    print(f"data: {sentences.name}, {', '.join(sizes)}, {len(features.tags)} tags")
    batches = _batches(flags, sentences, features, length)
    contents = [repr([sentences.train, sentences.validation]).encode()]
    settings = training_run.fingerprint(flags, contents, UNFINGERPRINTED)
    found = {"sentences": sentences, "features": features, "length": length}
    return found | {"settings": settings} | batches


def load_sentences(flags):
    """The sentences in three splits, a `kerasseq.data.TaggedSentences`."""
    names = ("validation_data", "test_data", "tag_column", "validation_fraction")
    names += ("test_fraction", "num_examples", "seed")
    options = {name: flags[name].value for name in names}
    return kerasseq.data.load_tagged_sentences(flags.data, **options)


def _batches(flags, sentences, features, length):
    size = len(sentences.train)
    reason = f"there are {size} training sentences"
    command_line.bound_default(flags, "batch_size", size, reason)
    options = {"batch_size": flags.batch_size, "seed": flags.seed}
    dropout = {"word_dropout": flags.word_dropout}
    parts = {"train": dropout, "validation": {"shuffle": False}}
    found = {}
    for name, own in parts.items():
        rows = getattr(sentences, name)
        fitting = [row for row in rows if len(row[0]) <= length]
        if not fitting:
            raise ValueError(
                f"No sentence of {name} has at most {length} words; use a larger "
                f"--max_length. Received: --max_length={flags.max_length}"
            )
        found[name] = kerasseq.data.TaggedBatches(fitting, features, **options, **own)
        print(
            f"{name}: {len(fitting)} sentences in batches of {found[name].shapes}, "
            f"{len(rows) - len(fitting)} over-long ones left out"
        )
    print(f"test: {len(sentences.test)} sentences")
    optimizer_flags.bound_warmup(flags, len(found["train"]))
    return found

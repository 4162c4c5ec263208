"""The sentences of `recipes.translate`: split, tokenized and batched."""

import numpy as np

import kerasseq
from recipes.shared import command_line, optimizer_flags, run_folder, training_run
from recipes.translate import model as translate_model

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("validation_data", "test_data", "translate", "num_best")
UNFINGERPRINTED += ("beam_size", "length_penalty", "quantize")
# Tokens of a sentence, unless --max_length says otherwise.
LONGEST = {"subword": 64, "word": 64, "character": 256}


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
    text = "subword, word or character, one vocabulary for both sides; or two of them, "
    text += "source,target, each side with its own: character,word."
    define("string", "tokenizer", "subword", text)
    text = "Subwords of a vocabulary; else 1,000, or what the text allows. Words or "
    text += "characters, the most frequent ones; else all."
    define("integer", "vocab_size", 1000, text, **command_line.COUNT)
    text = "How often a word or character must occur."
    define("integer", "min_count", 1, text, **command_line.COUNT)
    text = "Tokens that a sentence may have, in the file too; else as many as the "
    text += f"longest of the data has, up to {LONGEST['word']}, of characters "
    text += f"{LONGEST['character']}."
    define("integer", "max_length", None, text, lower_bound=4, upper_bound=4096)
    define("integer", "buckets", 3, "Length buckets at most.", **command_line.LAYERS)
    text = "Tokens per batch, padding included, in place of --batch_size."
    define("integer", "batch_tokens", None, text, **command_line.COUNT)


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    kinds = units(flags)
    if flags["min_count"].present and {*kinds} == {"subword"}:
        raise ValueError(
            "--min_count is about words and characters; subwords have --vocab_size. "
            f"Received: --min_count={flags.min_count} --tokenizer={flags.tokenizer}"
        )


def units(flags):
    """What the sides are split into: one name for a common vocabulary, or two.

    Raises:
        ValueError: for another `--tokenizer`.
    """
    found = tuple(name.strip() for name in flags.tokenizer.split(","))
    if len(found) > 2 or not {*found} <= LONGEST.keys():
        raise ValueError(
            f"--tokenizer is {', '.join(LONGEST)}, or two of them for source and "
            f"target, as character,word. Received: --tokenizer={flags.tokenizer}"
        )
    return found


def load(flags, run_dir):
    """Loads, tokenizes and batches the data.

    Args:
        flags: The flags of the recipe.
        run_dir: Folder of the run, a `pathlib.Path`; vocabularies are kept there.

    Returns:
        A dict: `text` (a `ParallelText`), `vocabularies` of source and target, which
        may be one, `train`, `validation` (batches), and `settings`, what a resumed run
        must have in common.
    """
    text = load_text(flags)
    print(f"data: {text.name}, {text.num_empty} empty pairs left out")
    vocabularies = _vocabularies(flags, text, run_dir)
    batches = _batches(flags, text, vocabularies)
    for name, part in batches.items():
        print(
            f"{name}: {part.num_pairs} pairs in buckets {part.shapes}, "
            f"{part.num_dropped} over-long pairs dropped"
        )
    print(f"test: {len(text.test)} pairs")
    optimizer_flags.bound_warmup(flags, len(batches["train"]) // flags.accumulate)
    contents = [repr([text.train, text.validation]).encode()]
    free = (*UNFINGERPRINTED, *translate_model.free_flags(flags))
    parts = vocabularies[: len(units(flags))]
    content = b"".join(vocabulary.to_bytes() for vocabulary in parts)
    settings = training_run.fingerprint(flags, contents, free, content)
    found = {"text": text, "vocabularies": vocabularies, "settings": settings}
    return found | batches


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


def _vocabularies(flags, text, run_dir):
    """Those of the resumed run, or new ones of the training sentences."""
    names = units(flags)
    sides = list(zip(*text.train, strict=True))
    if len(names) == 1:
        sides = [[sentence for pair in text.train for sentence in pair]]
    found = [
        _vocabulary(flags, unit, texts, run_dir, prefix)
        for unit, texts, prefix in zip(names, sides, ("", "target_"), strict=False)
    ]
    return found[0], found[-1]


def _vocabulary(flags, unit, texts, run_dir, prefix):
    data, lowercase = kerasseq.data, flags.lowercase
    if flags.resume:
        path = run_folder.kept(run_dir, prefix + data.vocabulary_file(unit))
        return data.load_vocabulary(unit, path, lowercase)
    size = flags.vocab_size if flags["vocab_size"].present else None
    found = data.train_vocabulary(unit, texts, size, flags.min_count, lowercase)
    with kerasseq.utils.atomic.replace_file(
        run_dir / (prefix + found.file_name), "wb"
    ) as file:
        file.write(found.to_bytes())
    print(f"{prefix.replace('_', ' ')}vocabulary: {found.summary()}")
    return found


def _batches(flags, text, vocabularies):
    data = kerasseq.data
    train, validation = (
        _encoded(vocabularies, pairs) for pairs in (text.train, text.validation)
    )
    longest, most = flags.max_length, max(LONGEST[x] for x in units(flags))
    buckets = data.choose_buckets(train, flags.buckets, longest or most)
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


def _encoded(vocabularies, pairs):
    source, target = vocabularies
    return [(source.encode(x), target.encode(y)) for x, y in pairs]


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
    ids = [data["vocabularies"][0].encode(sentence) for sentence in sources]
    padded = np.zeros((len(ids), length), "int32")
    for row, sentence in zip(padded, ids, strict=True):
        kept = [*sentence[: length - 1], kerasseq.data.END_ID]
        row[: len(kept)] = kept
    return padded, sum(len(sentence) >= length for sentence in ids)


def texts(data, tokens):
    """Rows of ids as text, a list."""
    return [data["vocabularies"][1].decode(row) for row in tokens]


def references(data):
    """The translations of the test split, as the vocabulary would write them."""
    normalize = data["vocabularies"][1].normalize
    return [normalize(target) for _, target in data["text"].test]


def app_files(data):
    """What an app needs beside the model, `{name: bytes}`."""
    return kerasseq.data.translator_files(*data["vocabularies"])

"""The text of `recipes.generate`: cut, numbered and batched."""

import numpy as np

import kerasseq
from recipes.generate import sampling_flags
from recipes.shared import command_line, run_folder, training_run

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("prompt", "count", "quantize", *sampling_flags.EXPORTED)
UNFINGERPRINTED += sampling_flags.NAMES
NUM_COMPARED = 8
PADDING = -1
SHORT = 32  # tokens per sequence that a default is not lowered below without need


def define_flags(flags):
    """Adds the flags about the text and its batches."""
    define = command_line.definer(flags, "data")
    rate = {"lower_bound": 0.0, "upper_bound": 1.0}
    text = "Fraction of the text for validation, cut off before that of the test."
    define("float", "validation_fraction", 0.05, text, **rate)
    text = "Fraction of the text for the test, cut off at the end; may be 0."
    define("float", "test_fraction", 0.05, text, **rate)
    kinds = ("characters", "subwords")
    define("enum", "tokens", "characters", "What the model reads and writes.", kinds)
    text = "Subwords, of which 256 are bytes; else 1,000, or what the text allows."
    define("integer", "vocab_size", 1000, text, **command_line.COUNT)
    text = "Tokens per sequence, after which backpropagation is truncated."
    define("integer", "length", 128, text, **command_line.WIDTH | {"lower_bound": 2})


def load(flags, run_dir):
    """Loads, numbers and batches the text.

    Args:
        flags: The flags of the recipe.
        run_dir: Folder of the run, a `pathlib.Path`; subwords are kept there.

    Returns:
        A dict: `text`, `vocabulary`, `train`, `validation`, `test` (batches; `test` is
        empty where its fraction is 0), `characters_per_token` of each, and `settings`,
        what a resumed run must have in common.
    """
    text = load_text(flags)
    parts = {"train": text.train, "validation": text.validation, "test": text.test}
    vocabulary = _vocabulary(flags, text, run_dir)
    print(f"data: {text.name}, {len(vocabulary)} kinds of {vocabulary.unit}s")
    encoded = {name: vocabulary.encode(part) for name, part in parts.items()}
    _bound_batches(flags, [len(ids) for ids in encoded.values() if len(ids)])
    batches, characters = {}, {}
    for name, part in parts.items():
        ids = encoded[name]
        print(f"{name}: {len(part):,} characters, {len(ids):,} tokens")
        characters[name] = len(part) / max(len(ids), 1)
        batches[name] = part and kerasseq.data.ContiguousBatches(
            ids, flags.batch_size, flags.length
        )
    contents = [text.train.encode(), text.validation.encode()]
    proto = getattr(vocabulary, "proto", None)
    settings = training_run.fingerprint(flags, contents, UNFINGERPRINTED, proto)
    found = {"text": text, "vocabulary": vocabulary, "settings": settings}
    return found | {"characters_per_token": characters} | batches


def _bound_batches(flags, lengths):
    """Lowers the default sizes of a batch, so that each part of the text has one."""
    room = max(min(lengths) - 1, 1)
    reason = f"a part of the text has {min(lengths)} tokens"
    bound = command_line.bound_default
    # Several sequences of some length, rather than one long one.
    bound(flags, "length", max(room // 8, min(room, SHORT), 2), reason)
    bound(flags, "batch_size", max(room // flags.length, 1), reason)


def load_text(flags):
    """The text in three parts, a `kerasseq.data.RunningText`."""
    return kerasseq.data.load_running_text(
        flags.data,
        data_dir=flags.data_dir,
        validation_fraction=flags.validation_fraction,
        test_fraction=flags.test_fraction,
    )


def _vocabulary(flags, text, run_dir):
    """All characters of the text, or subwords of what is trained on."""
    if flags.tokens == "characters":
        return kerasseq.data.Characters("".join(text[1:]))
    kind = kerasseq.data.LosslessSubwords
    if flags.resume:
        return kind.load(run_folder.kept(run_dir, kind.file_name))
    fit_size = not flags["vocab_size"].present
    vocabulary = kind.train(text.train, flags.vocab_size, fit_size)
    vocabulary.save(run_dir / kind.file_name)
    return vocabulary


def prompts(flags, data):
    """Beginnings of lines of unseen text, of words rather than signs.

    Returns:
        A list of int32 arrays `(prompt_length,)`, padded with -1 on the right.
    """
    lines = [line for line in unseen(data["text"]).splitlines() if line.strip()]
    worded = [line for line in lines if sum(map(str.isalpha, line)) > len(line) / 2]
    lines = worded or lines or [unseen(data["text"])]
    ids = [data["vocabulary"].encode(line) for line in lines[:NUM_COMPARED]]
    length = flags.prompt_length
    return [_padded(row[: length // 2 or 1], length) for row in ids]


def unseen(text):
    """The test part of a `RunningText`, or where there is none that of validation."""
    return text.test or text.validation


def _padded(ids, length):
    row = np.full(length, PADDING, "int32")
    row[: len(ids)] = ids
    return row


def app_files(data, run_dir):
    """What an app needs beside the model: characters or subwords, `{name: bytes}`."""
    vocabulary = data["vocabulary"]
    path = run_dir / vocabulary.file_name
    vocabulary.save(path)
    return {path.name: path.read_bytes()}

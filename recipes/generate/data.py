"""The text of `recipes.generate`: cut, numbered and batched."""

import kerasseq
from recipes.generate import use_file as generate_file
from recipes.shared import training_run

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = (
    "from",
    "prompt",
    "count",
    "prompt_length",
    "max_length",
    "temperature",
)
UNFINGERPRINTED += (
    "top_k",
    "top_p",
    "repetition_penalty",
    "no_repeat_ngram",
    "quantize",
)
NUM_COMPARED = 8


def load(flags, run_dir):
    """Loads, numbers and batches the text.

    Returns:
        A dict: `text`, `vocabulary`, `train`, `validation`, `test` (batches; `test` is
        empty without a share), `characters_per_token` of each, and `settings`, what a
        resumed run must share.
    """
    text = kerasseq.data.load_running_text(
        flags.data,
        data_dir=flags.data_dir,
        validation_fraction=flags.validation_share,
        test_fraction=flags.test_share,
    )
    parts = {"train": text.train, "validation": text.validation, "test": text.test}
    vocabulary = _vocabulary(flags, text, run_dir)
    print(f"data: {text.name}, {len(vocabulary)} kinds of {vocabulary.unit}s")
    batches, characters = {}, {}
    for name, part in parts.items():
        ids = vocabulary.encode(part)
        print(f"{name}: {len(part):,} characters, {len(ids):,} tokens")
        characters[name] = len(part) / max(len(ids), 1)
        batches[name] = part and kerasseq.data.ContiguousBatches(
            ids, flags.batch_size, flags.length
        )
    contents = [text.train.encode(), text.validation.encode()]
    settings = training_run.fingerprint(flags, contents, UNFINGERPRINTED)
    found = {"text": text, "vocabulary": vocabulary, "settings": settings}
    return found | {"characters_per_token": characters} | batches


def _vocabulary(flags, text, run_dir):
    """All characters of the text, or subwords of what is trained on."""
    if flags.tokens == "characters":
        return kerasseq.data.Characters("".join(text[1:]))
    kind = kerasseq.data.LosslessSubwords
    path = run_dir / kind.file_name
    if not (flags.resume and path.exists()):
        kind.train(text.train, flags.vocab_size).save(path)
        (run_dir / "state.npz").unlink(missing_ok=True)  # of an earlier run
    return kind.load(path)


def prompts(flags, data):
    """Beginnings of lines of unseen text, of words rather than signs."""
    text = data["text"].test or data["text"].validation
    lines = [line for line in text.splitlines() if line.strip()] or [text]
    worded = [line for line in lines if sum(map(str.isalpha, line)) > len(line) / 2]
    lines = worded or lines
    ids = [data["vocabulary"].encode(line) for line in lines[:NUM_COMPARED]]
    length = flags.prompt_length
    return [generate_file.padded(row[: length // 2 or 1], length) for row in ids]

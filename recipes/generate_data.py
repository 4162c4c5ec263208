"""The text of `recipes.generate`: cut, numbered and batched."""

import kerasseq
from recipes import generate_file, training_run

# Flags that may differ when a run is resumed.
FREE_FLAGS = ("from", "prompt", "count", "prompt_length", "max_length", "temperature")
FREE_FLAGS += ("top_k", "top_p", "repetition_penalty", "no_repeat_ngram", "quantize")
NUM_COMPARED = 8


def load(values, run_dir):
    """Loads, numbers and batches the text.

    Returns:
        A dict: `text`, `vocabulary`, `train`, `validation`, `test` (batches; `test` is
        empty without a share), `characters_per_token` of each, and `settings`, what a
        resumed run must share.
    """
    text = kerasseq.data.load_running_text(
        values.data,
        data_dir=values.data_dir,
        validation_share=values.validation_share,
        test_share=values.test_share,
    )
    parts = {"train": text.train, "validation": text.validation, "test": text.test}
    vocabulary = _vocabulary(values, text, run_dir)
    print(f"data: {text.name}, {len(vocabulary)} kinds of {vocabulary.unit}s")
    batches, characters = {}, {}
    for name, part in parts.items():
        ids = vocabulary.encode(part)
        print(f"{name}: {len(part):,} characters, {len(ids):,} tokens")
        characters[name] = len(part) / max(len(ids), 1)
        batches[name] = part and kerasseq.data.ContiguousBatches(
            ids, values.batch_size, values.length
        )
    contents = [text.train.encode(), text.validation.encode()]
    settings = training_run.fingerprint(values, contents, FREE_FLAGS)
    found = {"text": text, "vocabulary": vocabulary, "settings": settings}
    return found | {"characters_per_token": characters} | batches


def _vocabulary(values, text, run_dir):
    """All characters of the text, or subwords of what is trained on."""
    if values.tokens == "characters":
        return kerasseq.data.Characters("".join(text[1:]))
    kind = kerasseq.data.LosslessSubwords
    path = run_dir / kind.file_name
    if not (values.resume and path.exists()):
        kind.train(text.train, values.vocab_size).save(path)
        (run_dir / "state.npz").unlink(missing_ok=True)  # of an earlier run
    return kind.load(path)


def prompts(values, data):
    """Beginnings of lines of unseen text, of words rather than signs."""
    text = data["text"].test or data["text"].validation
    lines = [line for line in text.splitlines() if line.strip()] or [text]
    worded = [line for line in lines if sum(map(str.isalpha, line)) > len(line) / 2]
    lines = worded or lines
    ids = [data["vocabulary"].encode(line) for line in lines[:NUM_COMPARED]]
    length = values.prompt_length
    return [generate_file.padded(row[: length // 2 or 1], length) for row in ids]

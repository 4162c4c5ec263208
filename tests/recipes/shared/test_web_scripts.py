"""The pages' scripts under node, against what they repeat in Python."""

import itertools
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from kerasseq import data
from kerasseq.lite import calendar, tiling
from recipes.shared import web_library

AWKWARD = [
    "",
    "   ",
    "x",
    "Größe  über\tALLES\n",
    "ｆｕｌｌ　ｗｉｄｔｈ ﬁne Ⅷ ½ ①",
    "e\u0301 e\u0308 n\u0303 \u1e9b\u0323 한국어 가",
    "zero\u200bwidth\u200d joiner \ufeffmark soft\u00adhyphen",
    "control\x07bell \x7f \x0c form",
    "~～ 日本語 😀😀 unknown😀",
    "▁ already ▁▁ marked",
    "1234567890 %$#@!",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]


def in_node(script, value, folder):
    """What an asynchronous script that ends in `return` makes of `value`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (folder / "value.json").write_text(json.dumps(value))
    program = f"""
import fs from 'node:fs';
const value = JSON.parse(fs.readFileSync('{folder}/value.json'));
const run = async () => {{ {script} }};
fs.writeFileSync('{folder}/result.json', JSON.stringify(await run()));
"""
    command = [node, "--input-type=module", "--eval", program]
    done = subprocess.run(
        command, cwd=web_library.SOURCES, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "result.json").read_text())


def shown(array):
    """An array as the scripts have images."""
    height, width, channels = array.shape
    pixels = {"data": array.ravel().tolist(), "channels": channels}
    return pixels | {"width": width, "height": height}


@pytest.mark.parametrize("lowercase", [False, True])
def test_subwords_are_those_of_sentencepiece(lowercase, tmp_path):
    text = data.load_parallel_text("synthetic", num_examples=1500, lowercase=lowercase)
    path = tmp_path / "subwords.model"
    sentences = [sentence for pair in text.train for sentence in pair]
    tokenizer = data.train_subwords(sentences, 400, path)
    data.save_vocabulary(tokenizer, tmp_path / "vocabulary.json", lowercase=lowercase)
    tried = [side for pair in text.validation + text.test for side in pair][:200]
    tried += AWKWARD
    tried += [f"{x} {y}" for x, y in itertools.product(tried[::17], AWKWARD)]
    assert len(tried) > 300
    script = """
const {Subwords} = await import('./subwords.js');
const subwords = new Subwords(value.vocabulary);
const ids = value.sentences.map((sentence) => subwords.encode(sentence));
return {ids, texts: ids.map((row) => subwords.decode(row))};
"""
    vocabulary = json.loads((tmp_path / "vocabulary.json").read_text())
    found = in_node(script, {"vocabulary": vocabulary, "sentences": tried}, tmp_path)
    cased = [sentence.lower() if lowercase else sentence for sentence in tried]
    expected = data.encode_sentences(tokenizer, cased)
    assert found["ids"] == expected
    assert found["texts"] == data.decode_ids(tokenizer, expected)
    assert any(data.UNKNOWN_ID in row for row in expected)


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_words_are_those_of_python(unit, tmp_path):
    texts, _ = data.generated_reviews(200)
    tried = [*texts, *AWKWARD, "don\u2019t 'quote' rock'n'roll", "a\u2028b\x85c\x1cd"]
    words = data.Words.train(tried[::2], unit=unit)
    script = """
const {Words} = await import('./words.js');
const words = new Words(value.vocabulary);
return value.texts.map((text) => [words.split(text), words.encode(text)]);
"""
    vocabulary = json.loads(words.to_bytes())
    found = in_node(script, {"vocabulary": vocabulary, "texts": tried}, tmp_path)
    assert found == [[words.split(x), words.encode(x).tolist()] for x in tried]


def test_features_of_words_are_those_of_python(tmp_path):
    sentences = [sentence for sentence, _ in data.load_tagged_sentences().test[:100]]
    tried = ["Ünïcode ÉCOLE 1995 ٣٤ Ⅷ ½ ǅ İstanbul don’t x2y", *AWKWARD]
    tried = [data.split_words(text, lowercase=False) for text in tried]
    tried += [["cafe\u0301", "E\u0301COLE", "don’t", "\u212b9", "’’’’"]]  # not split
    rows = [(words, ["O"] * len(words)) for words in [*sentences, *tried[::2]]]
    features = data.WordFeatures.train(rows, word_length=6)
    tried = [words for words in [*sentences, *tried] if words]
    script = """
const {WordFeatures} = await import('./word_features.js');
const {split} = await import('./words.js');
const features = new WordFeatures(value.vocabulary);
return value.sentences.map((words) => {
  const inputs = features.encode(words, 40);
  const plain = Object.entries(inputs).map(([name, row]) => [name, [...row]]);
  return [split(words.join(' ')), Object.fromEntries(plain)];
});
"""
    value = {"vocabulary": json.loads(features.to_bytes()), "sentences": tried}
    for words, (split, found) in zip(
        tried, in_node(script, value, tmp_path), strict=True
    ):
        assert split == data.split_words(" ".join(words), lowercase=False)
        expected = features.encode(words, 40)
        assert found == {name: row.ravel().tolist() for name, row in expected.items()}


def test_words_are_joined_as_in_python(tmp_path):
    vocabulary = data.SentenceWords.of(
        ["A dog, and (so far) a cat's hat! 3 [x] {y}: z; w?"]
    )
    generator = np.random.default_rng(0)
    rows = generator.integers(0, len(vocabulary), (60, 12)).tolist()
    script = """
const {SentenceWords} = await import('./sentence_words.js');
const words = new SentenceWords(value.vocabulary);
return value.rows.map((row) => words.decode(row));
"""
    content = json.loads(vocabulary.to_bytes())
    found = in_node(script, {"vocabulary": content, "rows": rows}, tmp_path)
    assert found == [vocabulary.decode(row) for row in rows]


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("unit", ["word", "character", "subword"])
def test_vocabularies_of_a_translator_are_those_of_python(unit, lowercase, tmp_path):
    reviews, _ = data.generated_reviews(200)
    tried = [
        *reviews,
        *AWKWARD,
        '# ## #a a# (so, "far"): d\'\u00e9t\u00e9!',
        "a\x85b\u2028c",
    ]
    tried += [
        "<pad> <end> x",
        "3.5 5/4/1995 l'\u00e9t\u00e9\u0301 _Z t\u0361\u0283 \u02c8k\u00e6t",
    ]
    found = data.train_vocabulary(unit, tried[::2], lowercase=lowercase)
    generator = np.random.default_rng(0)
    rows = generator.integers(0, len(found), (60, 12)).tolist()
    script = """
const {vocabularyOf} = await import('./vocabularies.js');
const found = vocabularyOf(value.vocabulary);
const ids = value.texts.map((text) => found.encode(text));
return {unit: found.unit, end: found.end, ids, pieces: ids.map((x) => found.pieces(x)),
  texts: [...ids, ...value.rows].map((row) => found.decode(row))};
"""
    content = json.loads(found.files()["vocabulary.json"])
    value = {"vocabulary": content, "texts": tried, "rows": rows}
    answer = in_node(script, value, tmp_path)
    ids = [found.encode(text) for text in tried]
    assert (answer["unit"], answer["end"]) == (unit, data.END_ID)
    assert answer["ids"] == ids
    assert answer["pieces"] == [found.pieces(row) for row in ids]
    shown = rows if unit != "subword" else []  # no model writes rows as random as these
    expected = [found.decode(row) for row in [*ids, *shown]]
    assert answer["texts"][: len(expected)] == expected


def test_words_without_punctuation_are_those_of_python(tmp_path):
    tried = ["K AE1 T", "d_Z {k a: @", "##x # ##", "a\u00a0b\tc ", ""]
    words = data.LosslessWords.of(tried)
    assert not words.options["punctuation"]
    script = """
const {vocabularyOf} = await import('./vocabularies.js');
const words = vocabularyOf(value.vocabulary);
return value.texts.map((text) => words.decode(words.encode(text)));
"""
    value = {"vocabulary": json.loads(words.to_bytes()), "texts": tried}
    found = in_node(script, value, tmp_path)
    assert found == [" ".join(text.split()) for text in tried]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(9, 5), (40, 31), (40, 9), (13, 17), (13, 40)])
def test_images_are_resized_as_by_pillow(size, channels, tmp_path):
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (23, 17, channels), "uint8")
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    expected = picture.resize(size[::-1], Image.Resampling.BILINEAR)
    script = """
const {resize} = await import('./pixels.js');
return Array.from(resize(value.image, value.width, value.height).data);
"""
    value = {"image": shown(image), "height": size[0], "width": size[1]}
    found = in_node(script, value, tmp_path)
    difference = np.array(found) - np.array(expected).ravel()
    # Pillow 13 takes the columns first where the height shrinks more.
    assert np.abs(difference).max() <= (1 if size == (13, 40) else 0)


@pytest.mark.parametrize("shape", [(40, 37, 1), (64, 32, 3), (9, 70, 3), (1, 2, 1)])
def test_tiles_are_blended_as_in_python(shape, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, shape, "uint8")

    def predict(tiles):  # sees where in the tile a pixel lies
        place = np.arange(32 * 32).reshape(1, 32, 32, 1)
        return (tiles * (place % 7) + place).astype("float32")

    expected = tiling.predict_tiled(predict, image, 32, 16, stride=16, blend="smooth")
    script = """
const {inTiles} = await import('./tiling.js');
const channels = value.channels;
const predict = (pixels) => ({map: Float32Array.from(pixels, (pixel, i) => {
  const place = Math.floor(i / channels);
  return pixel * (place % 7) + place;
})});
return Array.from((await inTiles(value, 32, predict, () => {})).map);
"""
    found = np.reshape(in_node(script, shown(image), tmp_path), expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


SERIES = {"columns": ["load", "heat"], "num_targets": 1, "frequency": ["minute", 60]}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_are_read(separator, tmp_path):
    table = "note,heat,date,load\nx,2,2024-02-28 22:00,1\n\n"
    table += "y,-4.5e1,2024-02-28T23:00:00,.5"
    script = """
const {readTable, shown} = await import('./series.js');
const {rows, dates} = readTable(value.table, value.facts);
return {rows, dates: dates && dates.map(shown)};
"""
    value = {"table": table.replace(",", separator), "facts": SERIES}
    found = in_node(script, value, tmp_path)
    assert found["rows"] == [[1, 2], [0.5, -45]]
    assert found["dates"] == ["2024-02-28 22:00", "2024-02-28 23:00"]
    value = {"table": "load,heat\n1,2", "facts": SERIES}
    assert in_node(script, value, tmp_path) == {"rows": [[1, 2]], "dates": None}


@pytest.mark.parametrize("clock", ["utc", "local", None])
def test_dates_are_read_as_in_python(clock, tmp_path):
    script = """
const {readTable} = await import('./series.js');
return value.dates.map((date) => {
  try {
    return readTable(`date,y\\n${date},1`, value.facts).dates?.[0] ?? null;
  } catch {
    return null;
  }
});
"""
    good = ["2024-03-01", "2024-03", "2024-03-01 12:30", "2024-03-01T12:30:15Z"]
    good += ["2024-03-01T00:30+02:00", "2024-03-01 23:00:00-0330", "1969-12-31T23:59"]
    bad = ["0", "12", "1467331200", "1467331200000", "42552", "240101", "202401"]
    bad += ["24-01-01", "2024-02-31", "2024-01-01 24:30", "2024-13-01", "noon"]
    facts = {"columns": ["y"], "num_targets": 1, "frequency": ["second", 1]}
    value = {"dates": good + bad, "facts": facts | {"clock": clock}}
    found = in_node(script, value, tmp_path)
    expected = [calendar.as_date(date, clock or "utc") for date in good]
    assert found[: len(good)] == [1000 * int(x.astype("int64")) for x in expected]
    assert found[len(good) :] == [None] * len(bad)
    for date in bad:
        with pytest.raises(ValueError, match="A date is written as"):
            calendar.as_date(date)


@pytest.mark.parametrize(
    "table",
    [
        '"date";"Price, EUR";"Qty ""a"", b, c"\n2024-01-05;1;2',
        'sep=,\ndate,"Price, EUR","Qty ""a"", b, c"\n2024-01-05,1,2',
        '\n\ndate\tPrice, EUR\t"Qty ""a"", b, c"\n2024-01-05\t1\t2',
    ],
)
def test_separators_in_names(table, tmp_path):
    script = """
const {readTable} = await import('./series.js');
return readTable(value.table, value.facts).rows;
"""
    columns = ["Price, EUR", 'Qty "a", b, c']
    facts = {"columns": columns, "num_targets": 2, "frequency": None}
    found = in_node(script, {"table": table, "facts": facts}, tmp_path)
    assert found == [[1, 2]]
    (tmp_path / "table.csv").write_text(table + "\n" + table.splitlines()[-1])
    in_python = data.load_time_series(tmp_path / "table.csv", date_column="none")
    assert in_python.columns == columns


@pytest.mark.parametrize(
    "table, message",
    [
        ("date,load\n2024-01-01,1", "must name the column 'heat'"),
        ("load,heat\n1,2\n1,", "Line 3 has no number in the column 'heat': ''"),
        ("load,heat\n1,2\n\nx,1", "Line 4 has no number in the column 'load': 'x'"),
        ("d,load,heat\n2024-01-01,1,2\n2024-01-02,1,2", "Line 3: .*60 minutes apart"),
        ("d,load,heat\n2024-01-01,1,2\nsoon,1,2", "Line 3 has no date: 'soon'"),
    ],
)
def test_bad_tables(table, message, tmp_path):
    script = """
const {readTable} = await import('./series.js');
try {
  return readTable(value.table, value.facts);
} catch (error) {
  return error.message;
}
"""
    found = in_node(script, {"table": table, "facts": SERIES}, tmp_path)
    assert re.search(message, found), found


def test_dates_are_those_of_python(tmp_path):
    script = """
const {count, datesAfter} = await import('./series.js');
return value.map(([last, unit, step]) => (
  {count: count(1000 * last, unit), next: datesAfter(1000 * last, unit, step, 5)}));
"""
    days = ["1969-12-31", "1970-01-01", "2024-01-30", "2024-02-29", "2023-02-28"]
    units = [("second", 30), ("minute", 60), ("day", 7), ("month", 1), ("month", 3)]
    dates = [np.datetime64(f"{day}T{x}", "s") for day in days for x in ("00", "13")]
    cases = list(itertools.product(dates, units))
    value = [[int(date.astype("int64")), *unit] for date, unit in cases]
    for (date, (unit, step)), found in zip(
        cases, in_node(script, value, tmp_path), strict=True
    ):
        assert found["count"] == calendar.count(date, unit)
        expected = calendar.dates_after(date, unit, step, 5).astype("int64")
        assert found["next"] == [1000 * int(x) for x in expected], (date, unit)


@pytest.mark.parametrize("low, high", [(0, 1), (-3.2, 17.5), (1e-4, 3e-4), (9e5, 1e6)])
def test_ticks_are_few_and_round(low, high, tmp_path):
    script = "const {ticks} = await import('./chart.js'); return ticks(...value);"
    found = in_node(script, [low, high], tmp_path)
    assert 3 <= len(found) <= 9 and low <= found[0] and found[-1] <= high
    assert np.allclose(np.diff(found), found[1] - found[0], rtol=1e-3)

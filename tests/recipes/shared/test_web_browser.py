"""Pages in headless Chromium compute what `kerasseq.lite.Runner` computes."""

import json
import shutil

import browser
import numpy as np
import pytest
from PIL import Image

from kerasseq import data, decoding, export, lite, models
from kerasseq.lite import packed_files
from kerasseq.utils import atomic
from recipes.caption import __main__ as caption
from recipes.classify_image import __main__ as classify_image
from recipes.classify_text import __main__ as classify_text
from recipes.classify_text import signatures as classify_text_signatures
from recipes.forecast import __main__ as forecast
from recipes.segment import __main__ as segment
from recipes.segment import heads as segment_heads
from recipes.shared import command_line, web_library
from recipes.tag import __main__ as tag
from recipes.translate import __main__ as translate

pytestmark = pytest.mark.slow
LENGTH = 40


@pytest.fixture(scope="module", autouse=True)
def _browser():
    if browser.CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")


def scattered(model):
    """The model with weights that make outputs lie far apart."""
    generator = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(generator.normal(0, 0.3, weight.shape))
    return model


def make_page(recipe, folder, *arguments):
    try:
        web_library.find()
    except ValueError as error:
        pytest.skip(f"npm does not reach the library: {error}")
    values = recipe.define_flags()
    arguments = ["--web", f"--from={folder}", *arguments]
    assert command_line.run(recipe.main, values, "", arguments) == 0
    return folder / "web"


def pictures(folder, sizes):
    """Smooth random images of some heights and widths, as PNG files."""
    generator = np.random.default_rng(0)
    folder.mkdir()
    for number, size in enumerate(sizes):
        coarse = generator.integers(0, 256, (4, 4, 3), "uint8")
        image = Image.fromarray(coarse).resize(size[::-1])
        image.save(folder / f"{number}.png")
    return folder


RUN = """
const outputs = await kerasseq.run(%s, %s);
return Object.fromEntries(Object.entries(outputs).map(([k, x]) => [k, [...x]]));
"""


def assert_runs_as_runner(page, signature, inputs):
    """The page's file gives for the same inputs what the runner gives."""
    expected = lite.Runner(page / "model.tflite").run(signature, **inputs)
    flat = {name: np.ravel(x).tolist() for name, x in inputs.items()}
    script = RUN % (json.dumps(signature), json.dumps(flat))
    found = browser.ask(page, script)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert np.abs(np.reshape(found[name], array.shape) - array).max() <= 1e-4
    return found


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    options = {"patch_size": 4, "num_layers": 1, "include_rescaling": True, "seed": 0}
    model = scattered(models.vit((16, 12, 3), 4, **options))
    signatures = export.image_signature((16, 12, 3))
    export.export_model(model, folder, signatures=signatures)
    labels = json.dumps(["one", "two", "three", "four"]).encode()
    packed_files.pack(folder / "model.tflite", {"labels.json": labels})
    images = pictures(folder / "images", [(16, 12), (24, 31), (8, 9)])
    return make_page(classify_image, folder, f"--images={images}")


def test_classifier(classifier):
    image = np.random.default_rng(1).integers(0, 256, (1, 16, 12, 3), "uint8")
    assert_runs_as_runner(classifier, "serve", {"image": image})


def test_classifier_reads_images_as_python_does(classifier):
    script = """
const found = [];
for (const name of ['0', '1', '2']) {
  const blob = await (await fetch(`given/${name}.png`)).blob();
  found.push([...(await kerasseq.classify(blob)).probabilities]);
}
const names = [...page.document.querySelectorAll('#classes li :first-child')];
return {found, best: names[0].textContent,
  status: page.document.getElementById('status').textContent};
"""
    images = classifier.parent / "images"
    shutil.copytree(images, classifier / "given")
    answer = browser.ask(classifier, script)
    python = lite.ImageClassifier(classifier.parent)
    expected = [python(python.read(path)) for path in sorted(images.iterdir())]
    np.testing.assert_allclose(answer["found"], expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.01
    assert answer["best"] == python.class_names[expected[0].argmax()]
    assert answer["status"].startswith("Classified in ")


@pytest.fixture(scope="module")
def captioner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captioner")
    words = data.SentenceWords.of(
        [f"the {word}, ({k})" for k, word in enumerate("abcdef")]
    )
    options = {"embedding_dim": 8, "units": 8, "include_rescaling": True, "seed": 0}
    encoder = {"encoder": "vit", "encoder_options": {"patch_size": 4, "num_layers": 1}}
    model = models.captioner((16, 12, 3), len(words), **options, **encoder)
    export.export_model(
        scattered(model),
        folder,
        signatures=lambda twin: decoding.caption_signatures(twin, 9, 3),
        min_token_agreement=0.9,
    )
    content = {"vocabulary.json": words.to_bytes()}
    packed_files.pack(folder / "model.tflite", content)
    images = pictures(folder / "images", [(16, 12), (24, 31), (8, 9)])
    return make_page(caption, folder, f"--images={images}")


def test_captioner(captioner):
    image = np.random.default_rng(1).integers(0, 256, (1, 16, 12, 3), "uint8")
    for signature in ("greedy", "beam"):
        assert_runs_as_runner(captioner, signature, {"image": image})


def test_captioner_describes_images_as_python_does(captioner):
    script = """
const found = [];
for (const name of ['0', '1', '2']) {
  const blob = await (await fetch(`given/${name}.png`)).blob();
  found.push((await kerasseq.describe(blob)).found);
}
return {found, shown: page.document.getElementById('caption').textContent};
"""
    images = captioner.parent / "images"
    shutil.copytree(images, captioner / "given")
    answer = browser.ask(captioner, script)
    python = lite.Captioner(captioner.parent)
    for path, found in zip(sorted(images.iterdir()), answer["found"], strict=True):
        expected = python(path, num_best=3)
        assert [row["text"] for row in found] == [text for text, _ in expected]
        scores = [row["score"] for row in found]
        np.testing.assert_allclose(scores, [x for _, x in expected], atol=1e-4)
    assert answer["shown"] == answer["found"][0][0]["text"]


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segmenter")
    heads = {"mask": 3, "edges": 2, "reconstruction": 1}
    options = {"width": 4, "depth": 2, "include_rescaling": True, "seed": 0}
    model = scattered(models.unet((32, 32, 1), heads=heads, **options))
    signatures = segment_heads.signature(model)
    export.export_model(model, folder, signatures=signatures)
    atomic.write_json(folder / "labels.json", ["none", "one", "two"])
    images = pictures(folder / "images", [(32, 32), (70, 45)])
    return make_page(segment, folder, f"--images={images}")


def test_segmenter(segmenter):
    image = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 1), "uint8")
    assert_runs_as_runner(segmenter, "serve", {"image": image})


def test_segmenter_reads_and_tiles_images_as_python_does(segmenter):
    script = """
const {maps} = await kerasseq.segment(await (await fetch('sample_2.png')).blob());
return {
  maps: Object.fromEntries(Object.entries(maps).map(([k, x]) => [k, [...x]])),
  panels: [...page.document.querySelectorAll('figcaption')].map((x) => x.textContent),
};
"""
    answer = browser.ask(segmenter, script)
    python = lite.ImageSegmenter(segmenter.parent)
    joined = python._run_tiles(python.read(segmenter.parent / "images" / "1.png"))
    found = [np.reshape(answer["maps"][x], (70, 45, -1)) for x in python._channels]
    np.testing.assert_allclose(np.concatenate(found, -1), joined, atol=1e-4)
    assert answer["panels"] == ["Image", "Mask", "Edges", "Reconstruction"]


@pytest.fixture(scope="module")
def text_classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text_classifier")
    texts, _ = data.generated_reviews(50)
    words = data.Words.train(texts)
    options = {"arch": "bigru", "pooling": "attention", "units": 8, "embedding_dim": 8}
    model = scattered(models.text_classifier(len(words), 3, **options))

    def signatures(twin):
        return classify_text_signatures.serve(twin, 16, 1.3)

    export.export_model(model, folder, signatures=signatures)
    labels = json.dumps(["one", "two", "three"]).encode()
    parts = {"labels.json": labels, words.file_name: words.to_bytes()}
    packed_files.pack(folder / "model.tflite", parts)
    return make_page(classify_text, folder, f"--classify={texts[0]}"), texts


def test_text_classifier(text_classifier):
    page, texts = text_classifier
    tokens = np.zeros((1, 16), "int32")
    tokens[0, :5] = [4, 9, 1, 3, 2]
    assert_runs_as_runner(page, "serve", {"tokens": tokens})
    script = """
const found = [];
for (const text of %s) {
  const {probabilities, attention} = await kerasseq.classify(text);
  found.push([[...probabilities], [...attention]]);
}
const chips = [...page.document.querySelectorAll('#words li')];
const best = page.document.querySelector('#classes li span').textContent;
return {found, best, chips: chips.map((x) => x.textContent)};
"""
    answer = browser.ask(page, script % json.dumps(texts[:8]))
    python = lite.TextClassifier(page.parent)
    for text, (probabilities, attention) in zip(texts, answer["found"], strict=False):
        np.testing.assert_allclose(probabilities, python(text), atol=1e-4)
        weights = [weight for _, weight in python.attention(text)]
        np.testing.assert_allclose(attention[: len(weights)], weights, atol=1e-4)
    assert answer["best"] == python.classify(texts[0])[0]
    assert answer["chips"] == data.split_words(texts[0])[:16]


@pytest.fixture(scope="module", params=[False, True], ids=["softmax", "crf"])
def tagger(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagger")
    sentences = data.load_tagged_sentences(num_examples=60).train
    features = data.WordFeatures.train(sentences, word_length=6)
    sizes = features.sizes()
    model = models.tagger(
        sizes["words"],
        len(features.tags),
        num_characters=sizes["characters"],
        num_suffixes=sizes["suffixes"],
        arch="bigru",
        units=8,
        crf=request.param,
    )
    signatures = export.tagging_signatures(12, 6)
    export.export_model(scattered(model), folder, signatures=signatures)
    parts = {features.file_name: features.to_bytes()}
    packed_files.pack(folder / "model.tflite", parts)
    texts = [" ".join(words[:12]) for words, _ in sentences[:8]]
    return make_page(tag, folder, f"--tag={texts[0]}"), texts


def test_tagger(tagger):
    page, texts = tagger
    script = """
const found = [];
for (const text of %s) {
  found.push((await kerasseq.tag(text)).found.map(({word, tag}) => [word, tag]));
}
const chips = [...page.document.querySelectorAll('#words li')];
return {found, chips: chips.map((x) => x.textContent)};
"""
    answer = browser.ask(page, script % json.dumps(texts))
    python = lite.Tagger(page.parent)
    expected = [[list(pair) for pair in python(text)] for text in texts]
    assert answer["found"] == expected
    assert answer["chips"] == [" ".join(pair) for pair in expected[0]]


@pytest.fixture(scope="module")
def forecaster(tmp_path_factory):
    """The page of a run with quantiles, a calendar and a scale for each series."""
    folder = tmp_path_factory.mktemp("forecaster")
    lines = ["unique_id,ds,y"]
    for name, scale in (("small", 1), ("large", 1e3)):
        for hour in range(400):
            date = np.datetime64("2024-01-30T00", "h") + hour
            lines.append(f"{name},{date}:00,{scale * (2 + np.sin(hour)):.4f}")
    path = folder / "long.csv"
    path.write_text("\n".join(lines))
    arguments = ["--arch=gru", "--units=8", "--num_layers=1", "--epochs=1"]
    arguments += ["--look_back=30", "--horizon=12", "--scale_per_series"]
    arguments += ["--calendar=day", f"--output_dir={folder}", f"--data={path}"]
    assert command_line.run(forecast.main, forecast.define_flags(), "", arguments) == 0
    return make_page(forecast, folder, f"--history={path}")


def test_forecaster(forecaster):
    script = """
const samples = (await (await fetch('page.json')).json()).samples;
const found = [];
for (const {text, series} of samples) {
  const {found: rows, next} = await kerasseq.forecast(text, series);
  found.push({rows, next});
}
const cells = [...page.document.querySelectorAll('#rows tr:nth-child(2) td')];
return {found, samples, cells: cells.map((x) => x.textContent),
  lines: page.document.querySelectorAll('#chart polyline').length};
"""
    answer = browser.ask(forecaster, script)
    python = lite.Forecaster(forecaster.parent)
    for sample, found in zip(answer["samples"], answer["found"], strict=True):
        _, *lines = sample["text"].splitlines()
        dates, values = zip(*(line.split(",") for line in lines), strict=True)
        history = np.array(values, "float32")[:, None]
        expected = python(history, dates[-1], python.series[sample["series"]])
        np.testing.assert_allclose(found["rows"], expected, rtol=1e-4)
        first = str(python.dates(dates[-1])[0]).replace("T", " ")
        assert found["next"][0] in (first.removesuffix(":00"), first[:10])
    assert {x["series"] for x in answer["samples"]} == {0, 1}
    first, *values = answer["cells"]
    assert first == answer["found"][0]["next"][0] and len(values) == 3
    np.testing.assert_allclose(
        [float(x) for x in values], answer["found"][0]["rows"][0][0], rtol=1e-4
    )
    assert answer["lines"] == 2


@pytest.fixture(scope="module", params=["rnn", "transformer", "word,character"])
def translator(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    text = data.load_parallel_text("synthetic", num_examples=600)
    sentences = [side for pair in text.train for side in pair]
    source = target = data.train_vocabulary("subword", sentences, 300)
    sizes = {"embedding_dim": 16, "units": 16}
    if request.param == "rnn":
        model = models.seq2seq(300, seed=0, **sizes)
    elif request.param == "word,character":
        source = data.train_vocabulary("word", (source for source, _ in text.train))
        target = data.train_vocabulary(
            "character", (target for _, target in text.train)
        )
        two = (len(source), len(target))
        model = models.seq2seq(*two, tie_embeddings=False, seed=0, **sizes)
    else:
        sizes = {"hidden_dim": 16, "num_layers": 1, "num_heads": 2, "mlp_dim": 24}
        model = models.transformer(300, seed=0, **sizes)
    model = scattered(model)
    export.export_model(
        model,
        folder,
        signatures=lambda twin: decoding.translation_signatures(twin, LENGTH, LENGTH),
        min_token_agreement=0.9,
    )
    packed_files.pack(folder / "model.tflite", data.translator_files(source, target))
    samples = [source for source, _ in text.test[:8]]
    return make_page(translate, folder, f"--translate={samples[0]}"), samples


def test_translator(translator):
    page, _ = translator
    source = np.zeros((1, LENGTH), "int32")
    source[0, :6] = [5, 17, 140, 8, 60, data.END_ID]
    for signature in ("greedy", "beam"):
        assert_runs_as_runner(page, signature, {"source": source})
    inputs = {"token": np.array([data.START_ID], "int32")}
    encoded = assert_runs_as_runner(page, "encode", {"source": source})
    specs = lite.Runner(page / "model.tflite").signatures["step"]["inputs"]
    for name in encoded:
        shape, dtype = specs[name]
        inputs[name] = np.reshape(encoded[name], shape).astype(dtype)
    assert_runs_as_runner(page, "step", inputs)


def test_translator_translates_as_python_does(translator):
    page, samples = translator
    script = """
const found = [];
for (const sentence of %s) found.push((await kerasseq.translate(sentence)).found);
const box = page.document.getElementById('source');
box.value = 'word '.repeat(60);
box.dispatchEvent(new page.Event('input'));
const status = page.document.getElementById('status');
while (status.className !== 'error') await new Promise((x) => setTimeout(x, 50));
return {found, error: status.textContent};
"""
    answer = browser.ask(page, script % json.dumps(samples))
    python = lite.Translator(page.parent)
    for sentence, found in zip(samples, answer["found"], strict=True):
        decoded = [python.target.decode(row["tokens"]) for row in found]
        assert [row["text"] for row in found] == decoded
        if python.source is not python.target:
            continue  # its long rows of random letters turn on near ties
        expected = python(sentence, num_best=4)
        assert decoded == [text for text, _ in expected]
        scores = [score for _, score in expected]
        np.testing.assert_allclose([x["score"] for x in found], scores, atol=1e-4)
    assert f"the model takes at most {LENGTH - 1}" in answer["error"]

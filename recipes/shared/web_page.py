"""The page of an exported file, `web/`: it runs the file in a browser.

Static files that any web server can serve; what is not of a run lies in `web/` beside
this module. A browser does not unpack what is packed into the file: it lies beside.
"""

import json
import shutil

from kerasseq.lite import packed_files
from kerasseq.utils import atomic
from recipes.shared import command_line, exported_file, file_input, masks, web_library

NUM_SAMPLES = 6
_IMAGES = ("image_input.js", "pixels.js")
_SCRIPTS = {
    "caption": (*_IMAGES, "sentence_words.js"),
    "classify_image": _IMAGES,
    "segment": (*_IMAGES, "tiling.js"),
    "translate": ("subwords.js", "vocabularies.js"),
    "classify_text": ("words.js",),
    "tag": ("words.js", "word_features.js"),
    "forecast": ("chart.js", "series.js"),
}
_NAMES = {
    "caption": ("vocabulary.json",),
    "translate": ("vocabulary.json",),
    "tag": ("vocabulary.json",),
    "classify_text": ("labels.json", "vocabulary.json"),
    "forecast": ("series.json",),
}
_TARGET = "target_vocabulary.json"


def define_flags(flags):
    """Adds `--web` and `--web_library`."""
    define = command_line.definer(flags, "export")
    text = "Write web/, a page that runs the exported file in a browser."
    define("bool", "web", False, text)
    text = f"Folder where `npm install {web_library.package()}` was run, for --web."
    define("string", "web_library", None, text)


def check(flags):
    """Makes sure, before any work, that a page can be made if it is asked for.

    Raises:
        ValueError: if LiteRT.js is not there and cannot be fetched.
    """
    if flags.web:
        web_library.find(flags.web_library)


def add(flags, task, folder, samples):
    """Writes `web/` into the folder of an export, if `--web` asks for it.

    Args:
        flags: The flags.
        task: Name of the recipe, a key of `_SCRIPTS`.
        folder: A folder with `model.tflite`.
        samples: As of `write`.
    """
    if flags.web:
        library = web_library.find(flags.web_library)
        write(folder / "web", task, folder / "model.tflite", library, samples)


def add_for_images(flags, task, reader):
    """Writes the page of an exported file, with images of `--images` as samples.

    Args:
        flags: Flags `images`, `from`, `output_dir`, `web` and `web_library`.
        task: As of `add`.
        reader: Class of the exported file, with a method `read`.
    """
    model = exported_file.find(flags, task)
    read = reader(model).read
    given = flags.images
    paths = [] if given is None else file_input.image_files(given)[:NUM_SAMPLES]
    add_to_earlier(flags, task, model, [read(path) for path in paths])


def add_to_earlier(flags, task, model, samples):
    """Writes the page of an exported file to `--output_dir`, or else beside the file.

    Args:
        flags: The flags.
        task: As of `add`.
        model: Path of the file, from `exported_file.find`.
        samples: As of `write`.
    """
    library = web_library.find(flags.web_library)
    page = file_input.output_folder(flags, model) / "web"
    write(page, task, model, library, samples)
    print(f"Written to {page}/; python -m http.server -d {page} serves it.")


def write(folder, task, model, library, samples):
    """Writes the page, whole or not at all.

    Args:
        folder: Where it goes.
        task: As of `add`.
        model: Path of the `.tflite` file, with labels or vocabulary in it or beside.
        library: Folder of the library, from `web_library.find`.
        samples: What the page offers to try: sentences; dicts of a `label` and a
            `text`; or uint8 images `(height, width, channels)`. It shows the result of
            the first at once.
    """
    names = _NAMES.get(task, ("labels.json",))
    contents = {name: packed_files.read(model, name) for name in names}
    contents |= _of_target(model, contents)
    scripts = ("style.css", "interface.js", "runtime.js", f"{task}.js", *_SCRIPTS[task])
    with atomic.replace_folder(folder) as page:
        for script in scripts:
            shutil.copy(web_library.SOURCES / script, page)
        shutil.copy(web_library.SOURCES / f"{task}.html", page / "index.html")
        shutil.copy(model, page / "model.tflite")
        for name, content in contents.items():
            (page / name).write_bytes(content)
        _copy_library(library, page / "litert")
        facts = {"samples": _samples(page, samples)}
        if task == "segment":
            facts["colors"] = _colors(len(json.loads(contents["labels.json"])))
        atomic.write_json(page / "page.json", facts)


def _of_target(model, contents):
    """The vocabulary of a translator's target, where it has one of its own."""
    if not json.loads(contents.get("vocabulary.json", "{}")).get("target"):
        return {}
    return {_TARGET: packed_files.read(model, _TARGET)}


def _copy_library(library, folder):
    for name in web_library.FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(library / name, folder / name)


def _samples(page, samples):
    """Texts as they are, images as the names of their files."""
    samples = list(samples)[:NUM_SAMPLES]
    if all(isinstance(sample, (str, dict)) for sample in samples):
        return samples
    from PIL import Image

    names = [f"sample_{number}.png" for number in range(1, len(samples) + 1)]
    for name, sample in zip(names, samples, strict=True):
        Image.fromarray(masks.rgb(sample)).save(page / name)
    return names


def _colors(num_classes):
    return [f"#{bytes(row).hex()}" for row in masks.palette(num_classes)]

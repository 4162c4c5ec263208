"""Images, captions and batches of `recipes.caption`."""

import functools
import math

import kerasseq
from kerasseq.data import captioned_images
from recipes.caption import model as caption_model
from recipes.shared import (
    command_line,
    image_flags,
    image_size,
    run_folder,
    training_run,
)

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("captions", "images", "num_best", "beam_size", "length_penalty")
UNFINGERPRINTED += ("quantize",)
VOCABULARY = "vocabulary.json"
MIXED_SIDE = 128  # of images of several sizes, unless --image_size says otherwise
LONGEST = 64  # words of a caption, unless --max_length says otherwise


def define_flags(flags):
    """Adds the flags about images, captions and their batches."""
    define = command_line.definer(flags, "data")
    text = "Captions file, if it is not in the folder of --data."
    define("string", "captions", None, text)
    bounds = command_line.COUNT | {"lower_bound": 20}
    define("integer", "num_examples", 6000, "Synthetic scenes.", **bounds)
    image_flags.define_image_flags(flags)
    image_flags.define_augmentation_flags(flags)
    text = "Words at most, the most frequent ones; else all that occur often enough."
    define("integer", "vocab_size", None, text, **command_line.COUNT)
    text = "How often a word must occur; else 1, in 5,000 captions and more 5."
    define("integer", "min_count", None, text, **command_line.COUNT)
    text = "Words that a caption may have, in the file too; else as many as the "
    text += f"longest of the data has, up to {LONGEST}."
    define("integer", "max_length", None, text, lower_bound=2, upper_bound=4096)


def load(flags, run_dir):
    """Loads, splits and batches the images and their captions.

    Args:
        flags: The flags of the recipe.
        run_dir: Folder of the run, a `pathlib.Path`; the vocabulary is kept there.

    Returns:
        A dict: `images` (a `CaptionedImages`), `words`, `length`, `train` and
        `validation` (`kerasseq.data.CaptionBatches`), and `settings`, what a resumed
        run must have in common.
    """
    images = load_images(flags)
    shape = " x ".join(map(str, images.train[0].shape[1:]))
    print(f"data: {images.name}, images of {shape}")
    words = _vocabulary(flags, images, run_dir)
    found = {"images": images, "words": words} | _batches(flags, images, words)
    contents = [*(split[0] for split in images[1:3])]
    contents.append(repr([split[1] for split in images[1:3]]).encode())
    settings = training_run.fingerprint(
        flags, contents, UNFINGERPRINTED, words.to_bytes()
    )
    return found | {"settings": settings}


def load_images(flags, **options):
    """The images, a `kerasseq.data.CaptionedImages`."""
    options = image_flags.image_options(flags) | options
    options["image_size"] = options["image_size"] or image_size.choose(
        flags,
        functools.partial(_multiple, flags),
        MIXED_SIDE,
        functools.partial(captioned_images.image_shapes, flags.data, flags.captions),
    )
    return kerasseq.data.load_captioned_images(
        flags.data,
        captions=flags.captions,
        num_examples=flags.num_examples,
        seed=flags.seed,
        **options,
    )


def _multiple(flags, side):
    """What the sides of images must be multiples of."""
    return 1 if flags.encoder == "cnn" else caption_model.patch_size(flags, side)


def _vocabulary(flags, images, run_dir):
    """That of the resumed run, or a new one of the training captions."""
    if flags.resume:
        return kerasseq.data.SentenceWords.load(run_folder.kept(run_dir, VOCABULARY))
    texts = [text for texts in images.train[1] for text in texts]
    min_count = flags.min_count or (1 if len(texts) < 5000 else 5)
    words = kerasseq.data.SentenceWords.of(texts, flags.vocab_size, min_count)
    words.save(run_dir / VOCABULARY)
    print(f"vocabulary: {len(words)} words of {len(texts)} captions")
    return words


def _batches(flags, images, words):
    ids = {
        name: [[words.encode(text) for text in texts] for texts in split[1]]
        for name, split in images._asdict().items()
        if name in ("train", "validation")
    }
    length = flags.max_length or _longest(ids["train"])
    command_line.bound_default(
        flags,
        "batch_size",
        sum(map(len, ids["train"])),
        f"there are {sum(map(len, ids['train']))} training captions",
    )
    make = functools.partial(
        kerasseq.data.CaptionBatches, max_length=length, batch_size=flags.batch_size
    )
    augment = image_flags.augmentation(flags)
    found = {
        "train": make(images.train[0], ids["train"], augment=augment, seed=flags.seed),
        "validation": make(images.validation[0], ids["validation"], shuffle=False),
    }
    for name, part in found.items():
        print(
            f"{name}: {len(ids[name])} images, {part.num_pairs} captions, "
            f"{part.num_dropped} over-long ones dropped"
        )
    print(f"test: {len(images.test[1])} images")
    return found | {"length": length}


def _longest(captions):
    """Words of the longest caption and its end, a multiple of 4."""
    longest = 1 + max(len(ids) for rows in captions for ids in rows)
    return min(4 * math.ceil(longest / 4), LONGEST)


def references(data, split="test"):
    """The captions of a split as they are compared: split into words and joined."""
    normalize = kerasseq.data.SentenceWords.normalize
    texts_of_images = getattr(data["images"], split)[1]
    return [[normalize(text) for text in texts] for texts in texts_of_images]

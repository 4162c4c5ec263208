"""Train a U-Net on images with masks, export it, segment images with the file.

What: `kerasseq.models.unet`, trained under XLA on cross entropy and Dice. It finds the
classes of pixels and edges, rebuilds its input, or turns images into other ones. The
generated cells take a minute and a half on two CPU cores and reach an IoU of 0.94 on
unseen ones, in a file of 1.1 MB, 0.3 MB in int8.

    python -m recipes.segment                            # generated microscopy
    python -m recipes.segment --data nuclei/train --test_data nuclei/val \\
        --width 16 --depth 4 --epochs 80 --output_dir saved_models/nuclei
    python -m recipes.segment --data nuclei/train --heads mask,edges,image
    python -m recipes.segment --data seismic --heads target
    python -m recipes.segment --from saved_models/nuclei --images new/ --output_dir out

A folder holds `images/` and `masks/`, or `train/`, `validation/` and `test/` with these
two; for the head `target` it holds `images/` and `targets/`, images or float arrays in
`.npy` files, and for the head `image` alone `images/` will do. With `--images` it
writes a mask and an overlay for each; images of another size than the file's are done
in tiles that overlap, at their own scale. Training writes to `saved_models/segment/`:
`model.tflite` (signature `serve`: a uint8 image in; `probabilities` of the classes,
`edges`, `reconstruction`, `target`, as the heads are, out; also as
`model_float16.tflite` and `model_int8.tflite`), `saved_model/`, `model.keras`,
`labels.json`, `report.json`, `report.html`, `card.json`, `history.csv` and pictures;
with `--web` also `web/`, a page that segments in a browser.
"""

import functools
import os
import shutil
import sys

import kerasseq
from recipes.segment import data as segment_data
from recipes.segment import heads as segment_heads
from recipes.segment import options as segment_flags
from recipes.segment import plots as segment_pictures
from recipes.segment import scores as segment_scores
from recipes.segment import use_file as segment_file
from recipes.shared import (
    artifacts,
    command_line,
    image_export,
    image_flags,
    quantization_flags,
    training_run,
    tta,
    web_page,
)

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("test_data", "from", "images", "tta", "overlap", "quantize")
UNFINGERPRINTED += ("keep_float",)


def define_flags():
    """The flags of this recipe."""
    flags = command_line.new_flags("segment", epochs=15, batch_size=16)
    segment_flags.define_data_flags(flags)
    segment_flags.define_model_flags(flags)
    # No rotation or zoom: at this size they blur what they resample.
    image_flags.define_augmentation_flags(
        flags, flip="both", brightness=0.1, contrast=0.2
    )
    image_flags.define_optimizer_flags(
        flags, learning_rate=3e-3, weight_decay=1e-4, ema=0.99, patience=10
    )
    tta.define_flag(flags)
    quantization_flags.define_flags(flags, default=("float16", "int8"))
    define = command_line.definer(flags)
    define("string", "images", None, "Only segment: an image, or a folder of them.")
    define("string", "from", None, "Folder of the exported model to segment with.")
    web_page.define_flags(flags)
    text = "Of neighboring tiles of a large image, a share of their sides."
    define("float", "overlap", 0.5, text, lower_bound=0.0, upper_bound=0.9)
    return flags


def load_data(flags):
    """Loads, splits and batches the images.

    Returns:
        A dict: `images` (a `MaskedImages`), `scale` (mean and deviation of targets),
        `train`, `validation`, `test` (batches), and `settings`, for resuming.
    """
    from recipes.segment import targets as segment_targets

    images = segment_data.load(flags)
    segment_flags.check_size(images.train[0].shape[1:], flags.depth)
    scale = segment_targets.scale_of(images.train[1])
    batches = functools.partial(segment_targets.batches, flags, images)
    found = {
        "train": batches(
            "train",
            augment=image_flags.augmentation(flags),
            sample_weights=segment_targets.pixel_weights(flags, images),
            seed=flags.seed,
        ),
        "validation": batches("validation", shuffle=False),
        "test": batches("test", shuffle=False),
    }
    counts = ", ".join(f"{name} {part.num_images}" for name, part in found.items())
    shape = " x ".join(map(str, images.train[0].shape[1:]))
    print("; ".join((f"data: {images.name}, images of {shape}", *images.notes)))
    print(f"images: {counts}")
    contents = [x for x in (*images.train, *images.validation) if x is not None]
    settings = training_run.fingerprint(flags, contents, UNFINGERPRINTED)
    return {"images": images, "scale": scale, "settings": settings} | found


def build_model(flags, data):
    """Builds and compiles the model."""
    images = data["images"]
    model = kerasseq.models.unet(
        images.train[0].shape[1:],
        heads=segment_heads.channels(flags, images),
        width=flags.width,
        depth=flags.depth,
        norm=None if flags.norm == "none" else flags.norm,
        upsampling=flags.upsampling,
        dropout=flags.dropout,
        deep_supervision=flags.deep_supervision,
        include_rescaling=True,
        seed=flags.seed,
    )
    model.compile(
        image_flags.make_optimizer(flags, flags.epochs * len(data["train"])),
        **segment_heads.compile_options(flags, images),
        jit_compile=flags.jit_compile,
    )
    print(f"model: {model.count_params():,} parameters")
    return model


def train(flags, model, data, run_dir):
    """Fits the model, resuming if asked; returns facts for the report."""
    monitor, mode = segment_heads.monitor(flags, data["images"])
    return training_run.train(flags, model, data, run_dir, monitor, mode)


def evaluate(flags, model, data):
    """Runs the test split through the model with Keras, and scores it.

    Returns:
        A dict: `outputs` and `truth`, dicts of arrays by head, and `scores`.
    """
    from recipes.segment import targets as segment_targets

    images = data["images"]
    model.compile(jit_compile=flags.jit_compile)
    outputs = model.predict(data["test"], verbose=0)
    num = len(images.test[0])
    outputs = segment_heads.classes({name: x[:num] for name, x in outputs.items()})
    truth = segment_targets.truth(outputs, *images.test, images.ignore_class)
    counts = segment_heads.channels(flags, images)
    found = segment_scores.scores(outputs, truth, counts, images.ignore_class)
    print("Keras:", segment_scores.summary(found))
    return {"outputs": outputs, "truth": truth, "scores": found}


def export(flags, model, data, training, results, run_dir):
    """Exports, verifies on the whole test split, and publishes all files at once."""
    images = data["images"]
    with artifacts.artifact_dir(flags.output_dir) as folder:
        report = image_export.export_model(
            flags,
            model,
            images,
            folder,
            signatures=segment_heads.signature(model),
            card={
                "task": "segment",
                "metrics": results["scores"],
                "training": training,
            },
            # Values come in the unit of the targets.
            tolerance=1e-4 * max(1.0, data["scale"][1]),
        )
        kerasseq.utils.atomic.write_json(folder / "labels.json", images.class_names)
        verify(flags, data, results, report, folder)
        model.save(folder / "model.keras")
        shutil.copy(run_dir / "history.csv", folder)
        pictures = segment_pictures.draw(images, results, folder)
        samples = segment_scores.samples(results, 10)
        artifacts.write_report(
            folder, report, "recipes.segment", data["settings"], samples, pictures
        )
        web_page.add(flags, "segment", folder, images.test[0])
    return report


def verify(flags, data, results, report, folder):
    """Runs the test split through each exported file and compares with Keras.

    Scores, agreement with Keras and time go into the report, as each file's `metrics`.
    """
    images = data["images"]
    counts = segment_heads.channels(flags, images)
    for artifact in report["artifacts"]:
        if not artifact["file"].endswith(".tflite"):
            continue
        path = folder / artifact["file"]
        outputs, latency = segment_file.outputs_of(path, images.test[0])
        found = segment_scores.scores(
            outputs, results["truth"], counts, images.ignore_class
        )
        found |= segment_scores.agreement(outputs, results["outputs"])
        artifact["metrics"] = found | {"ms_per_image": latency}
        print(f"{artifact['file']}: {segment_scores.summary(artifact['metrics'])}")


def main(flags):
    """Runs the whole job, or segments images with its result."""
    if flags.images is not None or flags["from"].value is not None:
        segment_file.use_file(flags)
        return
    segment_flags.check(flags)
    web_page.check(flags)
    command_line.prepare(flags)
    run_dir = command_line.make_folder(os.path.join(flags.output_dir, "run"))
    data = load_data(flags)
    model = build_model(flags, data)
    training = train(flags, model, data, run_dir)
    model = segment_heads.inference_model(model, flags, data["scale"])
    model = tta.inference_model(flags, model)
    results = evaluate(flags, model, data)
    if command_line.backend() != "tensorflow":
        artifacts.save_for_tensorflow(flags, model)
        return
    export(flags, model, data, training, results, run_dir)
    artifacts.print_folder(flags.output_dir)


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))

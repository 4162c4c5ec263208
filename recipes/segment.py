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
from recipes import (
    common,
    mirroring,
    publishing,
    quantised,
    segment_data,
    segment_file,
    segment_flags,
    segment_heads,
    segment_pictures,
    segment_scores,
    training_run,
    vision_export,
    vision_flags,
    web_page,
)

# Flags that may differ when a run is resumed.
FREE_FLAGS = ("test_data", "from", "images", "mirror", "overlap", "quantize")
FREE_FLAGS += ("keep_float",)


def define_flags():
    """The flags of this recipe."""
    values = common.new_flags("segment", epochs=15, batch_size=16)
    segment_flags.define_data_flags(values)
    segment_flags.define_model_flags(values)
    # No rotation or zoom: at this size they blur what they resample.
    vision_flags.define_augmentation_flags(
        values, flip="both", brightness=0.1, contrast=0.2
    )
    vision_flags.define_optimizer_flags(
        values, learning_rate=3e-3, weight_decay=1e-4, ema=0.99, patience=10
    )
    mirroring.define_flag(values)
    quantised.define_flags(values, default=("float16", "int8"))
    define = common.definer(values)
    define("string", "images", None, "Only segment: an image, or a folder of them.")
    define("string", "from", None, "Folder of the exported model to segment with.")
    web_page.define_flags(values)
    text = "Of neighbouring tiles of a large image, a share of their sides."
    define("float", "overlap", 0.5, text, lower_bound=0.0, upper_bound=0.9)
    return values


def load_data(values):
    """Loads, splits and batches the images.

    Returns:
        A dict: `images` (a `MaskedImages`), `scale` (mean and deviation of targets),
        `train`, `validation`, `test` (batches), and `settings`, for resuming.
    """
    from recipes import segment_targets  # loads Keras

    images = segment_data.load(values)
    segment_flags.check_size(images.train[0].shape[1:], values.depth)
    scale = segment_targets.scale_of(images.train[1])
    batches = functools.partial(segment_targets.batches, values, images)
    found = {
        "train": batches(
            "train",
            augment=vision_flags.augmentation(values),
            sample_weights=segment_targets.pixel_weights(values, images),
            seed=values.seed,
        ),
        "validation": batches("validation", shuffle=False),
        "test": batches("test", shuffle=False),
    }
    counts = ", ".join(f"{name} {part.num_images}" for name, part in found.items())
    shape = " x ".join(map(str, images.train[0].shape[1:]))
    print("; ".join((f"data: {images.name}, images of {shape}", *images.notes)))
    print(f"images: {counts}")
    contents = [x for x in (*images.train, *images.validation) if x is not None]
    settings = training_run.fingerprint(values, contents, FREE_FLAGS)
    return {"images": images, "scale": scale, "settings": settings} | found


def build_model(values, data):
    """Builds and compiles the model."""
    images = data["images"]
    model = kerasseq.models.unet(
        images.train[0].shape[1:],
        heads=segment_heads.channels(values, images),
        width=values.width,
        depth=values.depth,
        norm=None if values.norm == "none" else values.norm,
        upsampling=values.upsampling,
        dropout=values.dropout,
        deep_supervision=values.deep_supervision,
        include_rescaling=True,
        seed=values.seed,
    )
    model.compile(
        vision_flags.make_optimizer(values, values.epochs * len(data["train"])),
        **segment_heads.compile_options(values, images),
        jit_compile=values.jit_compile,
    )
    print(f"model: {model.count_params():,} parameters")
    return model


def train(values, model, data, run_dir):
    """Fits the model, resuming if asked; returns facts for the report."""
    monitor, mode = segment_heads.monitor(values, data["images"])
    return training_run.train(values, model, data, run_dir, monitor, mode)


def evaluate(values, model, data):
    """Runs the test split through the model with Keras, and scores it.

    Returns:
        A dict: `outputs` and `truth`, dicts of arrays by head, and `scores`.
    """
    from recipes import segment_targets

    images = data["images"]
    model.compile(jit_compile=values.jit_compile)
    outputs = model.predict(data["test"], verbose=0)
    num = len(images.test[0])
    outputs = segment_heads.classes({name: x[:num] for name, x in outputs.items()})
    truth = segment_targets.truth(outputs, *images.test, images.ignore_class)
    counts = segment_heads.channels(values, images)
    found = segment_scores.scores(outputs, truth, counts, images.ignore_class)
    print("Keras:", segment_scores.summary(found))
    return {"outputs": outputs, "truth": truth, "scores": found}


def export(values, model, data, training, results, run_dir):
    """Exports, verifies on the whole test split, and publishes all files at once."""
    images = data["images"]
    with publishing.published(values.output_dir) as folder:
        report = vision_export.export_model(
            values,
            model,
            images,
            folder,
            signatures=segment_heads.signature(model),
            task="segment",
            metrics=results["scores"],
            training=training,
            # Values come in the unit of the targets.
            tolerance=1e-4 * max(1.0, data["scale"][1]),
        )
        kerasseq.atomic.write_json(folder / "labels.json", images.class_names)
        verify(values, data, results, report, folder)
        model.save(folder / "model.keras")
        shutil.copy(run_dir / "history.csv", folder)
        pictures = segment_pictures.draw(images, results, folder)
        samples = segment_scores.samples(results, 10)
        publishing.write_report(
            folder, report, "recipes.segment", data["settings"], samples, pictures
        )
        web_page.add(values, "segment", folder, images.test[0])
    return report


def verify(values, data, results, report, folder):
    """Runs the test split through each exported file and compares with Keras.

    Scores, agreement with Keras and time go into the report, as each file's `metrics`.
    """
    images = data["images"]
    counts = segment_heads.channels(values, images)
    for artefact in report["artefacts"]:
        if not artefact["file"].endswith(".tflite"):
            continue
        path = folder / artefact["file"]
        outputs, latency = segment_file.outputs_of(path, images.test[0])
        found = segment_scores.scores(
            outputs, results["truth"], counts, images.ignore_class
        )
        found |= segment_scores.agreement(outputs, results["outputs"])
        artefact["metrics"] = found | {"ms_per_image": latency}
        print(f"{artefact['file']}: {segment_scores.summary(artefact['metrics'])}")


def main(values):
    """Runs the whole job, or segments images with its result."""
    if values.images is not None or values["from"].value is not None:
        segment_file.use_file(values)
        return
    segment_flags.check(values)
    web_page.check(values)
    common.prepare(values)
    run_dir = common.make_folder(os.path.join(values.output_dir, "run"))
    data = load_data(values)
    model = build_model(values, data)
    training = train(values, model, data, run_dir)
    model = segment_heads.for_use(model, values, data["scale"])
    model = mirroring.for_use(values, model)
    results = evaluate(values, model, data)
    if common.backend() != "tensorflow":
        publishing.save_for_tensorflow(values, model)
        return
    export(values, model, data, training, results, run_dir)
    publishing.print_folder(values.output_dir)


if __name__ == "__main__":
    sys.exit(common.run(main, define_flags(), __doc__))

"""The segmentation recipe: a tiny run, the use of its files, and bad input."""

import json

import bare_process
import browser
import killed_recipe
import numpy as np
import pytest
from PIL import Image

from kerasseq import data, lite
from kerasseq.lite import packed_files
from recipes.segment import __main__ as segment
from recipes.segment import scores as segment_scores
from recipes.segment import targets as segment_targets
from recipes.shared import command_line

ARTIFACTS = (
    "saved_model",
    "model.tflite",
    "model.keras",
    "history.csv",
    "report.json",
    "report.html",
    "card.json",
)
SIZE = 32
TINY = ["--epochs=2", "--width=4", "--depth=2", "--batch_size=8", "--ema=0.9"]
HEADS = ["--heads=mask,edges,image", "--quantize=int8"]


def run(*arguments):
    return command_line.run(segment.main, segment.define_flags(), "", list(arguments))


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, "uint8")).save(path)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 24 images, their masks, and targets in physical units."""
    folder = tmp_path_factory.mktemp("pictures")
    images, masks, _ = data.generated_cells(24, SIZE)
    for number, (image, mask) in enumerate(zip(images[..., 0], masks, strict=True)):
        save(folder / f"images/{number:02}.png", image)
        save(folder / f"masks/{number:02}.png", 255 * mask)
        (folder / "targets").mkdir(exist_ok=True)
        target = 2000 + 10 * image.astype("float32")
        np.save(folder / f"targets/{number:02}.npy", target)
    return folder


@pytest.fixture(scope="module")
def folder(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("segment")
    library = browser.fake_library(tmp_path_factory.mktemp("library"))
    web = ["--web", f"--web_library={library}"]
    assert run(*TINY, *HEADS, *web, f"--data={pictures}", f"--output_dir={folder}") == 0
    return folder


def test_everything_is_written(folder):
    names = ("model_int8.tflite", "masks.png", "worst_masks.png", "heads.png")
    for name in (*ARTIFACTS, *names, "reconstruction.png"):
        assert (folder / name).exists(), name
    assert not (folder / "model_float16.tflite").exists()
    assert not [*folder.parent.glob(f".{folder.name}*")]
    assert not (folder / "labels.json").exists()
    for path in (folder / "model.tflite", folder / "model_int8.tflite"):
        labels = json.loads(packed_files.read(path, "labels.json"))
        assert labels == ["background", "foreground"]
    assert len(json.loads((folder / "web/page.json").read_text())["samples"]) == 5


def test_report(folder):
    report = json.loads((folder / "report.json").read_text())
    assert report["task"] == "segment"
    assert report["training"]["compiles"] == 2
    assert report["training"]["epochs"] == 2
    tflite = report["artifacts"][0]
    assert tflite["flex_ops"] == tflite["custom_ops"] == []
    assert tflite["dynamic_shapes"] is False
    assert tflite["max_abs_diff"] <= 1e-4
    metrics = tflite["metrics"]
    assert metrics["mask_pixels_as_keras"] > 0.999
    assert metrics["reconstruction_apart"] <= 1e-4
    scores = {"iou", "iou_per_image", "mean_iou", "dice", "boundary_iou"}
    scores |= {"pixel_accuracy", "edges_iou", "reconstruction_psnr"}
    assert scores <= report["metrics"].keys() and scores <= metrics.keys()
    int8 = report["artifacts"][1]
    assert int8["precision"] == "int8" and scores <= int8["metrics"].keys()
    card = json.loads((folder / "card.json").read_text())
    assert card["settings"]["heads"] == "mask,edges,image"
    assert card["bytes"]["model.tflite"] == (folder / "model.tflite").stat().st_size


def test_signature(folder):
    serve = lite.Runner(folder / "model.tflite").signatures["serve"]
    assert serve["inputs"] == {"image": ((1, SIZE, SIZE, 1), "uint8")}
    channels = {"probabilities": 2, "edges": 2, "reconstruction": 1}
    assert serve["outputs"] == {
        name: ((1, SIZE, SIZE, last), "float32") for name, last in channels.items()
    }


def test_segments_files_without_tensorflow_or_keras(folder, pictures, tmp_path):
    images, _, _ = data.generated_cells(1, 96)
    save(tmp_path / "in/large.png", images[0, :70, :, 0])
    save(tmp_path / "in/below/small.png", images[0, :20, :50, 0])
    save(tmp_path / "in/color.png", np.repeat(images[0, :SIZE, :SIZE], 3, axis=-1))
    arguments = (f"--from={folder}", f"--images={tmp_path / 'in'}")
    _, seconds = bare_process.run("recipes.segment", *arguments)
    assert seconds < 5
    written = folder / "predictions"
    for stem, size in (("large", (96, 70)), ("small", (50, 20)), ("color", (32, 32))):
        for part, mode in (("mask", "P"), ("edges", "P"), ("overlay", "RGB")):
            with Image.open(written / f"{stem}_{part}.png") as picture:
                assert (picture.size, picture.mode) == (size, mode)
        assert (written / f"{stem}_reconstruction.png").exists()
    segmenter = lite.ImageSegmenter(folder)
    found = segmenter(segmenter.read(tmp_path / "in/color.png"))
    with Image.open(written / "color_mask.png") as picture:
        np.testing.assert_array_equal(np.array(picture), found["mask"])


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_result(folder, pictures, capsys):
    arguments = [*TINY, *HEADS, f"--data={pictures}", f"--output_dir={folder}"]
    before = json.loads((folder / "card.json").read_text())["metrics"]
    assert run(*arguments, "--resume", "--quantize=") == 0
    assert "resumed after epoch 2" in capsys.readouterr().out
    after = json.loads((folder / "card.json").read_text())["metrics"]
    assert after["iou"] == before["iou"]
    assert not (folder / "model_int8.tflite").exists()
    assert run(*arguments, "--resume", "--dropout=0.7") == 2
    assert "dropout: 0.0 -> 0.7" in capsys.readouterr().err


def test_images_to_values(pictures, tmp_path):
    arguments = [*TINY, "--heads=target", "--quantize=", "--nojit_compile"]
    arguments += ["--deep_supervision"]
    output = tmp_path / "values"
    assert run(*arguments, f"--data={pictures}", f"--output_dir={output}") == 0
    metrics = json.loads((output / "card.json").read_text())["metrics"]
    assert metrics["target_rmse"] < 2000  # of values from 2000 to 4550
    assert metrics["target_apart"] < 0.1
    serve = lite.Runner(output / "model.tflite").signatures["serve"]
    assert serve["outputs"] == {"target": ((1, SIZE, SIZE, 1), "float32")}
    flags = lite.ImageSegmenter(output)(np.full((SIZE, SIZE, 1), 90, "uint8"))
    assert 1000 < flags["target"].mean() < 6000
    images = pictures / "images/00.png"
    assert run(f"--from={output}", f"--images={images}", f"--output_dir={output}") == 0
    assert np.load(output / "00_target.npy").shape == (SIZE, SIZE, 1)


def loaded(*arguments):
    flags = segment.define_flags()
    flags(["segment", *TINY, *arguments])
    return flags, segment.load_data(flags, None)


def test_targets_of_each_head(pictures):
    arguments = ["--heads=mask,edges,image", f"--data={pictures}", "--boundary_weights"]
    _, loaded_data = loaded(*arguments, "--deep_supervision")
    images, targets, weights = loaded_data["train"][0]
    assert sorted(targets) == sorted(weights)
    assert sorted(targets) == sorted(
        f"{head}{scale}"
        for head in ("mask", "edges", "reconstruction")
        for scale in ("", "_2")
    )
    np.testing.assert_allclose(targets["reconstruction"], images / 127.5 - 1, atol=1e-6)
    edges = segment_targets.edges_of(targets["mask"])
    np.testing.assert_array_equal(targets["edges_2"], edges)
    assert weights["mask"].max() > 2 and weights["edges"].max() == 1
    _, targets, weights = loaded_data["validation"][0]  # two images, six rows of none
    assert (
        weights["reconstruction"].sum(axis=(1, 2)).tolist() == [SIZE**2] * 2 + [0] * 6
    )


def test_an_auto_encoder_needs_images_alone(pictures, tmp_path):
    (tmp_path / "images").symlink_to(pictures / "images")
    flags, loaded_data = loaded("--heads=image", f"--data={tmp_path}", "--limit=0.5")
    _, targets, weights = loaded_data["train"][0]
    assert targets.keys() == weights.keys() == {"reconstruction"}
    assert loaded_data["train"].num_images == 8  # half of 17
    model = segment.build_model(flags, loaded_data)
    assert model.output["reconstruction"].shape == (None, SIZE, SIZE, 1)


def test_edges_by_hand():
    masks = np.array([[[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 255], [0, 0, 0, 255]]])
    assert segment_targets.edges_of(masks, 255)[0].tolist() == [
        [0, 1, 1, 0],
        [0, 1, 1, 1],
        [0, 1, 1, 255],
        [0, 0, 0, 255],
    ]


def test_scores_by_hand():
    truth = np.zeros((2, 4, 4), "int32")
    found = truth.copy()
    truth[0, :2], found[0, :1] = 1, 1  # 4 of 8
    truth[1, 0], found[1, :3] = 1, 1  # 4 of 12
    scores = segment_scores.class_scores(found, truth, 2)
    assert scores["iou"] == pytest.approx(8 / 20)
    assert scores["iou_per_image"] == pytest.approx((4 / 8 + 4 / 12) / 2)
    assert scores["dice"] == pytest.approx(16 / 28)
    assert scores["mean_iou"] == pytest.approx((8 / 20 + 12 / 24) / 2)
    assert scores["pixel_accuracy"] == pytest.approx(20 / 32)
    assert segment_scores.iou(found, truth, 2) == scores["iou"]
    void = np.where(truth == found, truth, 255)
    assert segment_scores.class_scores(found, void, 2, 255)["iou"] == 1
    assert segment_scores.iou(found, void, 2, 255) == 1


BAD = {
    "missing": ("--data=absent", "absent"),
    "test_data": ("--test_data={x}/absent", "absent"),
    "empty": ("--data={x}/empty", "no image"),
    "corrupt": ("--data={x}/corrupt", "00.png"),
    "alone": ("--data={x}/alone", "without a mask"),
    "mismatch": ("--data={x}/mismatch", "same size"),
    "values": ("--test_data={x}/values", "7"),
    "no_targets": ("--data={x}/empty --heads=target", "no images"),
    "targets": ("--data={x}/targets --heads=target", "07.npy"),
    "depth": ("--image_size=30", "--image_size=32"),
    "heads": ("--heads=mask,depth", "--heads=mask,depth"),
    "no_heads": ("--heads=", "--heads"),
    "both": ("--heads=mask,target", "`mask`"),
    "loss": ("--loss=dice+hinge", "hinge"),
    "weights": ("--heads=image --boundary_weights", "--boundary_weights"),
    "class_weights": ("--loss=dice --class_weights", "--class_weights"),
    "size": ("--image_size=large", "--image_size=large"),
    "limit": ("--limit=few", "--limit=few"),
    "shares": ("--test_fraction=0.95", "test_fraction"),
    "batch": ("--batch_size=99", "batch_size=99"),
    "quantize": ("--quantize=int4", "int4"),
    "folder": ("--output_dir={x}/a_file/below", "--output_dir"),
    "enum": ("--norm=power", "norm"),
    "number": ("--width=0", "width"),
    "flag": ("--unknown=1", "unknown"),
    "tfds": ("--data=tfds:no_such_set", "no_such_set"),
    "no_images": ("--images={x}/absent --from={model}", "absent"),
    "bad_image": ("--images={x}/corrupt/images --from={model}", "00.png"),
    "same_name": ("--images={x}/alone --from={model}", "same name"),
    "no_model": ("--images={x} --from={x}/absent", "absent"),
}


@pytest.fixture(scope="module")
def broken(pictures, tmp_path_factory):
    root = tmp_path_factory.mktemp("broken")
    (root / "a_file").write_text("a file")
    (root / "empty/images").mkdir(parents=True)
    (root / "empty/masks").mkdir()
    for name in ("corrupt", "alone", "mismatch", "values", "targets"):
        for number in range(8):
            image = np.full((SIZE, SIZE), 9 * number)
            save(root / name / f"images/{number:02}.png", image)
            save(root / name / f"masks/{number:02}.png", image > 30)
    image = root / "corrupt/images/00.png"
    image.write_bytes(image.read_bytes()[:40])
    (root / "alone/masks/03.png").unlink()
    save(root / "mismatch/masks/03.png", np.zeros((SIZE, 8)))
    save(root / "values/masks/03.png", np.full((SIZE, SIZE), 7))
    (root / "targets/targets").mkdir()
    for number in range(8):
        side = SIZE if number < 7 else 8
        np.save(root / f"targets/targets/{number:02}.npy", np.zeros((side, side)))
    return root


def test_a_size_that_the_depth_allows_is_chosen(pictures, capsys):
    _, data = loaded(f"--data={pictures}", "--depth=6")
    assert data["images"].train[0].shape[1:3] == (64, 64)
    assert "image size: 64x64" in capsys.readouterr().out


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, pictures, broken, folder, tmp_path, capsys):
    output = tmp_path / "output"
    output.mkdir()
    (output / "report.json").write_text("earlier")
    arguments = BAD[name][0].format(x=broken, model=folder).split()
    training = [] if "--from" in BAD[name][0] else [*TINY, f"--data={pictures}"]
    code = run(*training, f"--output_dir={output}", *arguments)
    error = capsys.readouterr().err
    assert code == 2
    assert BAD[name][1] in error
    assert error.startswith("error: ") and "Traceback" not in error
    assert (output / "report.json").read_text() == "earlier"
    assert {p.name for p in output.iterdir()} <= {"report.json", "run"}


@pytest.mark.parametrize("name", ["model.tflite", "labels.json"])
def test_damaged_files(folder, pictures, tmp_path, capsys, name):
    model = tmp_path / "model.tflite"
    model.write_bytes((folder / "model.tflite").read_bytes())
    labels = packed_files.read(model, "labels.json")
    (tmp_path / "labels.json").write_bytes(labels)
    packed_files.pack(model, {})
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 3])
    arguments = [f"--from={tmp_path}", f"--images={pictures / 'images'}"]
    assert run(*arguments) == 2
    assert name in capsys.readouterr().err
    (tmp_path / name).unlink()
    assert run(*arguments) == 2
    assert name in capsys.readouterr().err


def test_help(capsys):
    assert run("--help") == 0
    assert "boundary_weights" in capsys.readouterr().out


@pytest.mark.slow
def test_a_killed_run_ends_where_the_uninterrupted_one_does(pictures, tmp_path):
    settings = [*TINY, "--epochs=3", "--dropout=0.3", "--quantize="]
    settings += [f"--data={pictures}", "--elastic=0.5"]
    losses = killed_recipe.losses_of_two_runs("segment", run, settings, tmp_path)
    assert len(losses[0]) == 3 and losses[0] == pytest.approx(losses[1], rel=1e-6)

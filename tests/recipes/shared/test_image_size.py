import numpy as np
import pytest
from absl import flags as absl_flags
from PIL import Image

from recipes.shared import command_line, image_size


def chosen(folder, sizes, *arguments, side=128):
    for number, (height, width) in enumerate(sizes):
        path = folder / "train" / f"class_{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((height, width), "uint8")).save(path)
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    define("string", "data", str(folder), "")
    define("string", "image_size", None, "")
    flags(["recipe", *arguments])
    return image_size.choose(flags, lambda side: 8, side)


@pytest.mark.parametrize(
    "sizes, expected",
    [
        ([(64, 48)] * 3, None),  # their own will do
        ([(100, 50)] * 3, (96, 48)),
        ([(3000, 2000)] * 2, (1024, 680)),
        ([(300, 200), (400, 200), (4000, 3000)], (128, 64)),
        ([(5, 3), (6, 3)], (8, 8)),
    ],
)
def test_a_size_that_the_model_takes(tmp_path, sizes, expected, capsys):
    assert chosen(tmp_path, sizes) == expected
    assert ("image size: " in capsys.readouterr().out) == bool(expected)


def test_a_given_size_stays(tmp_path):
    assert chosen(tmp_path, [(5, 3), (6, 3)], "--image_size=20") is None


def test_masks_do_not_count(tmp_path):
    for name, side in (("images", 16), ("masks", 400), (".cache", 30)):
        (tmp_path / name).mkdir()
        picture = Image.fromarray(np.zeros((side, side), "uint8"))
        picture.save(tmp_path / name / "a.png")
    assert chosen(tmp_path, []) is None

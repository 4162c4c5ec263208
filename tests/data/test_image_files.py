import numpy as np
import pytest
from PIL import Image

from kerasseq.data import _image_files

GRAY = np.arange(0, 240, 10, dtype="uint8").reshape(4, 6)
COLORS = np.stack([GRAY, GRAY[::-1], 255 - GRAY], axis=-1)


@pytest.fixture
def save(tmp_path):
    def save(image, name="image.png", **options):
        image = image if isinstance(image, Image.Image) else Image.fromarray(image)
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return save


@pytest.fixture
def palette(save):
    image = Image.fromarray(np.array([[0, 1, 2]], "uint8"))
    image.putpalette([10, 20, 30, 255, 0, 0, 0, 0, 255])
    return save(image)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm"])
def test_colors_and_gray_as_they_are(save, suffix):
    path = save(COLORS, f"image.{suffix}")
    assert _image_files.image_shape(path) == (4, 6, 3)
    image = _image_files.read_image(path)
    assert image.dtype == "uint8" and np.array_equal(image, COLORS)
    gray = _image_files.read_image(save(GRAY, f"gray.{suffix.replace('ppm', 'pgm')}"))
    assert np.array_equal(gray, GRAY[..., None])


def test_channels_by_demand(save, palette):
    assert np.array_equal(
        _image_files.read_image(save(GRAY, "gray.png"), num_channels=3),
        np.repeat(GRAY[..., None], 3, axis=-1),
    )
    luma = _image_files.read_image(palette, num_channels=1)[0, :, 0]
    assert luma.tolist() == [18, 76, 29]  # 0.299 R + 0.587 G + 0.114 B


def test_other_forms(save, palette):
    rgb = _image_files.read_image(palette)
    assert rgb.tolist() == [[[10, 20, 30], [255, 0, 0], [0, 0, 255]]]
    deep = np.array([[0, 257, 32896, 65535]], "uint16")
    assert _image_files.read_image(save(deep)).tolist() == [[[0], [1], [128], [255]]]
    bits = Image.fromarray(np.array([[0, 255]], "uint8")).convert("1")
    assert _image_files.read_image(save(bits)).tolist() == [[[0], [255]]]
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = _image_files.read_image(save(cmyk, "red.jpg", quality=95))
    assert red.shape == (8, 8, 3) and np.abs(red[0, 0] - [255.0, 0, 0]).max() < 4


def test_transparent_pixels_are_laid_on_white(save):
    path = save(np.array([[[9, 9, 9, 0], [0, 0, 0, 255], [0, 0, 0, 127]]], "uint8"))
    assert _image_files.image_shape(path) == (1, 3, 3)
    assert _image_files.read_image(path)[0, :, 0].tolist() == [255, 0, 128]
    gray = np.array([[[9, 0], [9, 255]]], "uint8")
    assert _image_files.read_image(save(gray)).tolist() == [[[255], [9]]]


def test_exif_orientation(save):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right
    path = save(COLORS, exif=exif)
    assert _image_files.image_shape(path) == (6, 4, 3)
    assert np.array_equal(_image_files.read_image(path), np.rot90(COLORS, -1))


def test_the_first_frame_of_an_animation(save):
    frames = [Image.fromarray(np.full((2, 2), v, "uint8")) for v in (50, 200)]
    path = save(frames[0], "moving.gif", save_all=True, append_images=frames[1:])
    assert np.unique(_image_files.read_image(path)).tolist() == [50]


def test_resize_is_antialiased(save):
    stripes = np.tile(np.array([0, 255], "uint8"), (8, 8))
    small = _image_files.read_image(save(stripes), size=(4, 2))
    assert small.shape == (4, 2, 1)
    assert np.abs(small - 127.5).max() < 30
    assert np.array_equal(small, _image_files.fit_image(stripes[..., None], (4, 2)))


def test_files_that_cannot_be_read(save, tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("no image")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype("uint8")
    whole = save(noise, "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    whole = save(noise, "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    causes = {
        "empty.jpg": "the file is empty",
        "text.png": "not an image",
        "cut.jpg": "truncated",
        "cut.png": "truncated",
        "nowhere.png": "no such file",
    }
    for name, cause in causes.items():
        for read in (_image_files.read_image, _image_files.read_mask):
            with pytest.raises(ValueError, match=rf"Cannot.*{name}'.*({cause}|JPEG)"):
                read(tmp_path / name)
    with pytest.raises(ValueError, match="text.png.*not an image"):
        _image_files.image_shape(tmp_path / "text.png")


def test_pixels_without_a_fixed_scale(save):
    with pytest.raises(ValueError, match="deep.tiff.*floating point"):
        _image_files.read_image(save(GRAY.astype("float32"), "deep.tiff"))
    with pytest.raises(ValueError, match="deep.tiff.*more than 16 bits.*70000"):
        _image_files.read_image(save(np.array([[0, 70000]], "int32"), "deep.tiff"))


def test_sizes_and_channels_given():
    assert _image_files.as_size(None) is None
    assert _image_files.as_size(32) == (32, 32)
    assert _image_files.as_size([32, 48]) == (32, 48)
    for wrong in (0, (8, -1), (1, 2, 3), 1.5, "32"):
        with pytest.raises(ValueError, match="image_size="):
            _image_files.as_size(wrong)
    with pytest.raises(ValueError, match="num_channels=2"):
        _image_files.check_num_channels(2)


def test_masks_keep_class_numbers(save, palette):
    assert _image_files.read_mask(palette).tolist() == [[0, 1, 2]]
    assert _image_files.read_mask(palette).dtype == "int32"
    assert np.array_equal(_image_files.read_mask(save(GRAY)), GRAY)
    deep = np.array([[0, 300, 65535]], "uint16")
    assert _image_files.read_mask(save(deep)).tolist() == [[0, 300, 65535]]
    bits = Image.fromarray(np.array([[0, 255]], "uint8")).convert("1")
    assert _image_files.read_mask(save(bits)).tolist() == [[0, 1]]
    equal = np.repeat(GRAY[..., None], 3, axis=-1)
    assert np.array_equal(_image_files.read_mask(save(equal)), GRAY)


def test_masks_are_resized_to_the_nearest(save):
    mask = np.array([[0, 0, 9, 9], [0, 0, 9, 9]], "uint8")
    small = _image_files.read_mask(save(mask), size=(1, 2))
    assert small.tolist() == [[0, 9]]
    large = _image_files.read_mask(save(mask), size=(3, 7))
    assert large.shape == (3, 7) and set(np.unique(large)) == {0, 9}


def test_masks_that_hold_no_class_numbers(save):
    with pytest.raises(ValueError, match="color.png.*not colors.*mode='RGB'"):
        _image_files.read_mask(save(COLORS, "color.png"))
    clear = np.dstack([GRAY, GRAY, GRAY, GRAY])
    with pytest.raises(ValueError, match="clear.png.*not colors"):
        _image_files.read_mask(save(clear, "clear.png"))
    with pytest.raises(ValueError, match="Cannot use.*mask.jpg': JPEG blurs"):
        _image_files.read_mask(save(GRAY, "mask.jpg"))


def test_paths_sorted_without_hidden_and_other_files(tmp_path):
    for name in ("b.PNG", "a.jpeg", ".c.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    names = [path.name for path in _image_files.image_paths(tmp_path)]
    assert names == ["a.jpeg", "b.PNG"]

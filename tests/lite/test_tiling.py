import functools
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasseq import models
from kerasseq.lite import tiling


def pixels(*shape, dtype="float32"):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


def small_unet(depth=1, upsampling="transposed", size=(None, None), **options):
    return models.unet(
        (*size, 1),
        2,
        width=4,
        depth=depth,
        upsampling=upsampling,
        seed=0,
        **options,
    )


def call_numbers(tile):
    """A `predict` that answers with the number of its call."""
    calls = []

    def predict(tiles):
        calls.append(tiles.shape)
        return np.full((1, tile, tile, 1), len(calls) - 1, "float32")

    return predict


class SliceLog:
    """An image that is never whole in memory, and notes what is read of it."""

    def __init__(self, shape):
        self.shape, self.ndim, self.read = shape, len(shape), []

    def __getitem__(self, key):
        rows, columns = key
        top, bottom, _ = rows.indices(self.shape[0])
        left, right, _ = columns.indices(self.shape[1])
        self.read.append((top, left))
        return np.zeros((bottom - top, right - left, self.shape[2]), "uint8")


class TestBasics:
    @pytest.mark.parametrize("blend", ["crop", "smooth"])
    @pytest.mark.parametrize("overlap, stride", [(0, 1), (3, 1), (4, 4), (6, 2)])
    @pytest.mark.parametrize("size", [(8, 8), (20, 33), (5, 30), (3, 1), (17, 9)])
    def test_identity(self, size, overlap, stride, blend):
        image = pixels(*size, 2)
        options = {"stride": stride, "blend": blend}
        result = tiling.predict_tiled(lambda x: x, image, 8, overlap, **options)
        assert result.shape == image.shape and result.dtype == image.dtype
        np.testing.assert_allclose(result, image, rtol=1e-6)

    @pytest.mark.parametrize("batch_size", [1, 4, 50])
    def test_batches_have_one_shape(self, batch_size):
        image, shapes = pixels(20, 30, 3, dtype="uint8"), set()

        def predict(tiles):
            shapes.add((tiles.shape, tiles.dtype.name))
            return tiles.max(-1, keepdims=True)

        result = tiling.predict_tiled(predict, image, 8, 2, batch_size=batch_size)
        assert shapes == {((batch_size, 8, 8, 3), "uint8")}
        np.testing.assert_array_equal(result, image.max(-1, keepdims=True))

    def test_reads_tiles_at_multiples_of_the_stride(self):
        image = SliceLog((41, 16, 1))
        tiling.predict_tiled(lambda x: x, image, 16, 4, stride=4)
        assert image.read == [(0, 0), (12, 0), (24, 0), (28, 0)]  # 28 + 16 = 44

    @pytest.mark.parametrize("blend", ["crop", "smooth"])
    def test_memory_maps(self, tmp_path, blend):
        image = pixels(30, 20, 1)
        maps = [
            np.memmap(tmp_path / name, "float32", "w+", shape=(30, 20, 1))
            for name in ("image", "out")
        ]
        maps[0][:] = image
        result = tiling.predict_tiled(
            lambda x: x, maps[0], 8, 4, blend=blend, out=maps[1]
        )
        assert result is maps[1]
        maps[1].flush()
        stored = np.fromfile(tmp_path / "out", "float32").reshape(image.shape)
        np.testing.assert_allclose(stored, image, rtol=1e-6)

    def test_needs_numpy_alone(self):
        code = (
            "import sys; from kerasseq.lite import tiling\n"
            "print(tiling.unet_radius(4), [m for m in sys.modules if m in "
            "('tensorflow', 'keras', 'jax', 'ai_edge_litert')])"
        )
        command = [sys.executable, "-c", code]
        output = subprocess.run(command, capture_output=True, text=True, check=True)
        assert output.stdout.split() == ["107", "[]"]


class TestNumbers:
    def test_crop_by_hand(self):
        """Tiles at 0, 2 and 4; of what two share each gives the half it is nearer."""
        image = np.zeros((4, 8, 1))
        result = tiling.predict_tiled(call_numbers(4), image, 4, 2)
        assert result[:, :, 0].tolist() == 4 * [[0, 0, 0, 1, 1, 2, 2, 2]]

    def test_smooth_by_hand(self):
        """Weights of the tiles 1 2 2 1 . . and . . 1 2 2 1."""
        image = np.zeros((4, 6, 1))
        result = tiling.predict_tiled(call_numbers(4), image, 4, 2, blend="smooth")
        np.testing.assert_allclose(result[0, :, 0], [0, 0, 1 / 3, 2 / 3, 1, 1])
        np.testing.assert_array_equal(result, result[:1].repeat(4, 0))

    def test_small_images_are_reflected(self):
        seen = []
        image = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1)
        tiling.predict_tiled(lambda x: seen.append(x) or x, image, 6, 0)
        assert seen[0][0, :, :, 0].tolist() == 6 * [[1, 2, 3, 2, 1, 2]]

    @pytest.mark.parametrize(
        "depth, upsampling, tile",
        [(1, "transposed", 32), (2, "transposed", 64), (1, "bilinear", 32)],
    )
    def test_equals_the_whole_image(self, depth, upsampling, tile):
        model, stride = small_unet(depth, upsampling, (tile, tile)), 2**depth
        radius = tiling.unet_radius(depth, upsampling=upsampling)
        enough = -(-2 * radius // stride) * stride
        image = pixels(104, 92, 1) / 255
        large = small_unet(depth, upsampling, image.shape[:2])  # of equal weights
        whole = np.array(large(image[None], training=False))[0]

        def error(overlap):
            result = tiling.predict_tiled(
                lambda x: model(x, training=False),
                image,
                tile,
                overlap,
                stride=stride,
                batch_size=4,
            )
            return np.abs(result - whole).max()

        assert error(enough) < 1e-5
        # One step less may do: how far a pixel sees hangs on its place in a cell.
        assert error(enough - 2 * stride) > 1e-3
        assert error(0) > 1e-2

    def test_size_that_the_network_does_not_take(self):
        """It is continued by reflection, and the result cropped."""
        model, image = small_unet(), pixels(45, 33, 1) / 255
        predict = functools.partial(model, training=False)
        padded = np.pad(image, [(0, 1), (0, 1), (0, 0)], mode="reflect")
        whole = np.array(predict(padded[None]))[0, :45, :33]
        result = tiling.predict_tiled(predict, image, 32, 18, stride=2)
        np.testing.assert_allclose(result, whole, atol=1e-5)

    @pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
    @pytest.mark.parametrize("depth", [1, 2])
    def test_radius(self, depth, upsampling):
        """A pixel of an else black image, and how far it shines."""
        model = small_unet(depth, upsampling, (4, 80), norm=None)
        for weight in model.weights:
            weight.assign(keras.ops.full(weight.shape, 0.1 * (len(weight.shape) > 1)))
        reach = 0
        for place in range(40, 40 + 2**depth):
            image = np.zeros((1, 4, 80, 1), "float32")
            image[:, :, place] = 1
            outputs = np.array(model(image, training=False))
            lit = np.flatnonzero(outputs[0, :, :, 0].any(0))
            reach = max(reach, place - lit.min(), lit.max() - place)
        assert reach == tiling.unet_radius(depth, upsampling=upsampling)

    def test_radius_of_the_paper(self):
        """Without padding the paper's network loses 92 pixels to each side."""
        assert tiling.unet_radius(4) == (572 - 388) // 2 + 2**4 - 1


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"image": np.zeros((8, 8))}, "a gray image a last axis"),
            ({"image": np.zeros((0, 8, 1))}, "must be an array"),
            ({"overlap": 8}, "less than `tile`"),
            ({"overlap": -1}, "less than `tile`"),
            ({"batch_size": 0}, "must be positive"),
            ({"stride": 3}, "must divide"),
            ({"overlap": 2, "stride": 4}, "must divide"),
            ({"blend": "hann"}, "`blend` must be one of"),
            ({"out": np.zeros((9, 9, 2))}, "`out` must have the shape"),
            ({"out": np.zeros((9, 9, 1), "uint8")}, "a dtype that holds"),
            ({"predict": lambda x: x[0]}, "`predict` must return"),
            ({"predict": lambda x: {"mask": x}}, "`predict` must return"),
            ({"predict": lambda x: x[:, 1:]}, "`predict` must return"),
            ({"predict": np.int32, "blend": "smooth"}, "Class numbers have no mean"),
        ],
    )
    def test_arguments(self, options, message):
        arguments = {"predict": lambda x: x, "image": np.zeros((9, 9, 1)), "tile": 8}
        with pytest.raises(ValueError, match=message):
            tiling.predict_tiled(**{**arguments, "overlap": 0, **options})

    @pytest.mark.parametrize(
        "options, message",
        [
            ({"depth": 0}, "must be positive"),
            ({"kernel": 2}, "odd"),
            ({"upsampling": "nearest"}, "`upsampling` must be"),
        ],
    )
    def test_radius(self, options, message):
        with pytest.raises(ValueError, match=message):
            tiling.unet_radius(**{"depth": 2, **options})

"""Files of weights that are none, or are damaged, or made to do harm."""

import io
import json
import pickle
import tracemalloc
import zipfile

import ml_dtypes
import numpy as np
import pytest

from kerasseq import convert
from kerasseq.convert.checkpoints import files
from tests.convert import checkpoint_files

FLOATS = np.arange(6, dtype="float32").reshape(2, 3)


def entry(dtype="F32", shape=(2, 3), offsets=(0, 24)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def refused(path, message):
    with pytest.raises(ValueError, match=message) as error:
        convert.from_checkpoint(path)
    assert path.name in str(error.value)


def refused_header(tmp_path, header, message, size=24):
    path = tmp_path / "a.safetensors"
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    checkpoint_files.write_parts(path, header, bytes(size))
    refused(path, message)


def test_reads_what_was_written(tmp_path):
    path = tmp_path / "a.safetensors"
    values = {"x": FLOATS, "none": FLOATS[:0], "y": FLOATS.astype("float16")}
    values["z"] = np.array(7, ml_dtypes.bfloat16)
    checkpoint_files.write_safetensors(path, values, metadata={"format": "pt"})
    with files.opened(path) as checkpoint:
        assert checkpoint.shapes == {"x": (2, 3), "none": (0, 3), "y": (2, 3), "z": ()}
        for name, value in values.items():
            found = checkpoint.read(name)
            assert found.dtype == "float32"
            np.testing.assert_array_equal(found, value.astype("float32"))


def test_bfloat16_is_exact(tmp_path):
    bits = np.arange(2**16, dtype="uint16")
    values = bits.view(ml_dtypes.bfloat16)
    path = tmp_path / "a.safetensors"
    checkpoint_files.write_safetensors(path, {"x": values})
    with files.opened(path) as checkpoint:
        np.testing.assert_array_equal(checkpoint.read("x"), values.astype("float32"))


class TestOtherFiles:
    def test_no_file(self, tmp_path):
        refused(tmp_path / "a.safetensors", "must be a file.*does not exist")
        refused(tmp_path, "must be a file.*is a folder")

    @pytest.mark.parametrize("suffix", [".pth", ".bin", ".pt", ".any"])
    def test_pickle(self, suffix, tmp_path):
        path = tmp_path / f"model{suffix}"
        for protocol in (2, 4):
            path.write_bytes(pickle.dumps({"x": FLOATS}, protocol))
            refused(path, "(?s)run code.*safetensors.torch.save_file")
        with zipfile.ZipFile(path, "w") as archive:  # as PyTorch writes it
            archive.writestr("model/data.pkl", pickle.dumps({}))
            archive.writestr("model/data/0", b"1234")
        refused(path, "(?s)run code.*safetensors.torch.save_file")
        if suffix != ".any":
            path.write_bytes(pickle.dumps({"x": FLOATS}, 0))
            refused(path, "run code")

    def test_another_file(self, tmp_path):
        path = tmp_path / "model.h5"
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
        refused(path, "Only `.safetensors`.*HDF")

    def test_a_part(self, tmp_path):
        path = tmp_path / "model-00001-of-00003.safetensors"
        checkpoint_files.write_safetensors(path, {"x": FLOATS})
        refused(path, "one of 3 parts.*merge the parts")
        path = tmp_path / "model.safetensors.index.json"
        path.write_text('{"weight_map": {}}')
        refused(path, "index of a checkpoint in parts; merge")

    def test_the_only_part(self, tmp_path):
        path = tmp_path / "model-00001-of-00001.safetensors"
        values = checkpoint_files.weights("rwkv4")
        convert.from_checkpoint(checkpoint_files.write_safetensors(path, values))


class TestHeaders:
    @pytest.mark.parametrize("length", [2**63, 10**6, 2**32, 25, 1, 0])
    def test_length(self, length, tmp_path):
        path = tmp_path / "a.safetensors"
        checkpoint_files.write_parts(path, b'{"x": 1}', bytes(8), length)
        refused(path, "header should have")

    @pytest.mark.parametrize("content", [b"", b"1234567", b"12345678"])
    def test_short_file(self, content, tmp_path):
        path = tmp_path / "a.safetensors"
        path.write_bytes(content)
        refused(path, "truncated or no .safetensors")

    def test_long_header(self, tmp_path):
        path = tmp_path / "a.safetensors"
        with open(path, "wb") as file:
            file.write((2**24 + 1).to_bytes(8, "little") + b"{")
            file.truncate(2**25)
        refused(path, "header of 16,777,217 bytes is above")

    @pytest.mark.parametrize(
        "header, message",
        [
            (b"{", "cannot be read"),
            (b"{\xff}", "cannot be read"),
            (b'{"x":' + b"[" * 100_000, "cannot be read"),
            (b'{"x": ' + b"9" * 10_000 + b"}", "cannot be read"),
            (b"[]", "holds no names"),
            ({"x": 1}, "x has no dtype"),
            ({"x": {"dtype": "F32"}}, "x has no dtype"),
            ({"x": entry(dtype="I8")}, "x is of type I8; .*F64, F32, F16, BF16"),
            ({"x": entry(dtype=["F32"])}, "x is of type"),
            ({"x": entry(shape=[2, 4])}, "takes 32 bytes, its offsets are 0 to 24"),
            ({"x": entry(shape=[2**40, 2**40])}, "takes .*its offsets are 0 to 24"),
            ({"x": entry(shape=[1] * 9)}, "no usable shape"),
            ({"x": entry(shape=[-2, -3])}, "no usable shape"),
            ({"x": entry(shape=[2.0, 3.0])}, "no usable shape"),
            ({"x": entry(shape=[True, 6])}, "no usable shape"),
            ({"x": entry(shape=[2**64])}, "no usable shape"),
            ({"x": entry() | {"shape": "23"}}, "no usable shape"),
            ({"x": entry(offsets=[0])}, "no usable offsets"),
            ({"x": entry(offsets=[-24, 0])}, "no usable offsets"),
            ({"x": entry(offsets=[24, 0])}, "offsets are 24 to 0"),
            ({"x": entry(offsets=[8, 32])}, "has a gap: it begins at byte 8, not 0"),
            ({"x": entry(), "y": entry()}, "y overlaps"),
            ({"x": entry(), "y": entry(offsets=[12, 36])}, "y overlaps"),
            ({"x": entry(), "y": entry(offsets=[24, 48])}, "truncated"),
            ({"x": entry(shape=[5], offsets=[0, 20])}, "end at byte 20, the file at"),
            (b'{"x": 1, "x": 1}', "two tensors of a name: x"),
        ],
    )
    def test_damage(self, header, message, tmp_path):
        refused_header(tmp_path, header, message)

    def test_same_name_twice(self, tmp_path):
        one = f'"x": {json.dumps(entry())}'
        refused_header(tmp_path, f"{{{one}, {one}}}".encode(), "two tensors of a name")

    def test_every_truncation(self, tmp_path):
        path = tmp_path / "a.safetensors"
        values = {"x": FLOATS, "y": FLOATS[0]}
        whole = checkpoint_files.write_safetensors(path, values).read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            refused(path, "cannot be read|Only|index")

    def test_nothing_large_is_made(self, tmp_path):
        path = tmp_path / "a.safetensors"
        size = 4 * 10**12
        header = {"x": entry(shape=[10**12], offsets=[0, size])}
        checkpoint_files.write_parts(path, json.dumps(header).encode(), bytes(24))
        tracemalloc.start()
        refused(path, "truncated")
        assert tracemalloc.get_traced_memory()[1] < 2**20
        tracemalloc.stop()


class TestArchives:
    def write(self, tmp_path, parts, compression=zipfile.ZIP_STORED):
        path = tmp_path / "a.npz"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in parts:
                archive.writestr(name, content)
        return path

    def content(self, value, **options):
        file = io.BytesIO()
        np.lib.format.write_array(file, value, **options)
        return file.getvalue()

    def test_pickled_objects(self, tmp_path):
        path = tmp_path / "a.npz"
        np.savez(path, x=np.array([{}], dtype=object))
        refused(path, "x.npy holds pickled objects")

    @pytest.mark.parametrize("dtype", ["int64", "complex64", "U3", "S2", "?", "V4"])
    def test_types(self, dtype, tmp_path):
        np.savez(tmp_path / "a.npz", x=np.zeros(3, dtype))
        refused(tmp_path / "a.npz", "x.npy is of type .*float32")

    def test_fields(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=np.zeros(3, [("a", "f4")]))
        refused(tmp_path / "a.npz", "x.npy is of type")

    def test_parts(self, tmp_path):
        content = self.content(FLOATS)
        refused(self.write(tmp_path, [("x", content)]), "not an array")
        with pytest.warns(UserWarning, match="Duplicate"):
            path = self.write(tmp_path, [("x.npy", content)] * 2)
        refused(path, "two tensors of a name: x.npy")
        refused(self.write(tmp_path, [("x.npy", content[:-1])]), "its part has")
        refused(self.write(tmp_path, [("x.npy", content + b"1")]), "its part has")
        refused(self.write(tmp_path, [("x.npy", b"")]), "cannot be read")
        newer = self.content(FLOATS, version=(3, 0))
        refused(self.write(tmp_path, [("x.npy", newer)]), "version")

    @pytest.mark.parametrize("shape", ["(1000000000000,)", "(-2, -3)", "(2, 3,,,"])
    def test_shapes(self, shape, tmp_path):
        content = self.content(FLOATS).replace(b"(2, 3)", shape.encode())
        refused(self.write(tmp_path, [("x.npy", content)]), "cannot be read")

    def test_what_grows(self, tmp_path):
        content = self.content(np.zeros(2**23, "float32"))
        path = self.write(tmp_path, [("x.npy", content)], zipfile.ZIP_DEFLATED)
        refused(path, "would fill 33,554,560; write it without compression")

    def test_damaged_content(self, tmp_path):
        values = checkpoint_files.weights("rwkv4")
        path = tmp_path / "a.npz"
        np.savez(path, **values)
        content = bytearray(path.read_bytes())
        place = bytes(content).index(values["head.weight"].tobytes())
        content[place] ^= 1
        path.write_bytes(content)
        refused(path, "cannot be read: Bad CRC-32.*head.weight")

    def test_every_truncation(self, tmp_path):
        whole = self.write(tmp_path, [("x.npy", self.content(FLOATS))]).read_bytes()
        path = tmp_path / "b.npz"
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            refused(path, "cannot be read|Only")

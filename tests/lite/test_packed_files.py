"""Files packed into a TFLite file."""

import hashlib
import io
import random
import shutil
import subprocess
import zipfile

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq import lite
from kerasseq.lite import _archive, _metadata, _model_front, flatbuffer, packed_files
from tests.export.rewriting import rewrite
from tests.lite import hand_made

FILES = {
    "labels.json": b'["cat", "dog", "owl"]',
    "card.json": b'{"task": "classify_image"}',
    "Gr\u00fc\u00dfe.txt": bytes(range(256)) * 40,
    "empty": b"",
}

METADATA_SHA256 = "7d11526de0e5c17b57b82915187aab33cf74f1cf1f41b48531d297e7f722aa27"


@pytest.fixture
def path(tmp_path):
    return hand_made.classifier(tmp_path / "model.tflite")


@pytest.fixture
def packed(path):
    packed_files.pack(path, FILES)
    return path


def outputs(path):
    """What a file returns for fixed random inputs."""
    runner, generator = lite.Runner(path), np.random.default_rng(0)
    results = {}
    for name, sides in runner.signatures.items():
        inputs = {
            key: generator.integers(0, 99, [size or 1 for size in shape]).astype(dtype)
            for key, (shape, dtype) in sides["inputs"].items()
        }
        for key, value in runner.run(name, **inputs).items():
            results[name, key] = value.tobytes()
    return results


def append_zip(path, files, **options):
    """Appends a zip as other tools do: positions count from the zip's beginning."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    path.write_bytes(path.read_bytes() + content.getvalue())


def with_constants_behind(path):
    """Moves the constants behind the flatbuffer, as files of 2 GB and more do."""
    model = flatbuffer.parse(path.read_bytes())
    data = []

    def written(start):
        for buffer, content in data:
            buffer.offset, buffer.size = start, len(content)
            start += len(content) + -len(content) % 16
        builder = flatbuffers.Builder()
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    for buffer in model.buffers:
        if len(buffer.data):
            data.append((buffer, bytes(buffer.data)))
            buffer.data = None
    size = len(written(2**20))
    start = size + -size % 16
    content = written(start).ljust(start, b"\0")
    for _, constant in data:
        content += constant + bytes(-len(constant) % 16)
    path.write_bytes(content)
    return path


class TestBasics:
    def test_round_trip(self, packed):
        assert packed_files.names(packed) == list(FILES)
        assert packed_files.read_all(str(packed)) == FILES
        assert packed_files.sizes(packed)["Gr\u00fc\u00dfe.txt"] == 10240
        for name, content in FILES.items():
            assert packed_files.read(packed, name) == content

    def test_nothing_packed(self, path):
        assert packed_files.names(path) == []
        assert packed_files.read_all(path) == {}

    def test_a_file_without_zip_costs_nothing(self, path, monkeypatch):
        monkeypatch.delattr(zipfile, "ZipFile")
        assert lite.Runner(path) and packed_files.names(path) == []

    def test_beside(self, packed):
        packed.with_name("vocabulary.json").write_bytes(b"{}")
        packed.with_name("labels.json").write_bytes(b"another")
        assert packed_files.read(packed, "vocabulary.json") == b"{}"
        assert packed_files.read(packed, "labels.json") == FILES["labels.json"]

    def test_the_same_bytes_each_time(self, path, tmp_path):
        copy = shutil.copy(path, tmp_path / "copy.tflite")
        packed_files.pack(path, FILES)
        content = path.read_bytes()
        packed_files.pack(copy, {"card.json": b"1", "other.json": b"2"})
        packed_files.pack(copy, FILES)
        packed_files.pack(copy, FILES)
        assert (tmp_path / "copy.tflite").read_bytes() == content

    def test_taken_out_again(self, path):
        content = path.read_bytes()
        packed_files.pack(path, FILES)
        packed_files.pack(path, {})
        assert path.read_bytes() == content + bytes(-len(content) % 16)

    def test_the_model_stays_as_it_is(self, path):
        content = path.read_bytes()
        packed_files.pack(path, FILES)
        place = path.read_bytes().index(content)
        assert place % 16 == 0  # so do its constants
        assert len(path.read_bytes()) < len(content) + 12_000

    def test_a_link_stays_a_link(self, path, tmp_path):
        (tmp_path / "link.tflite").symlink_to(path)
        packed_files.pack(tmp_path / "link.tflite", FILES)
        assert (tmp_path / "link.tflite").is_symlink()
        assert packed_files.names(path) == list(FILES)


class TestOtherReaders:
    def test_zipfile(self, packed):
        with zipfile.ZipFile(packed) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == list(FILES)
            # Android's extractor reads no others.
            assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_STORED}

    @pytest.mark.skipif(not shutil.which("unzip"), reason="there is no unzip")
    def test_unzip(self, packed, tmp_path):
        command = ["unzip", "-l", str(packed)]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert result.stderr == "" and "warning" not in result.stdout
        assert all(name in result.stdout for name in FILES)
        command = ["unzip", "-q", str(packed), "-d", str(tmp_path / "out")]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert result.stderr == result.stdout == ""
        assert (tmp_path / "out" / "labels.json").read_bytes() == FILES["labels.json"]

    def test_metadata(self, packed):
        model = flatbuffer.read(packed)
        entries = [e for e in model.metadata if e.name == b"TFLITE_METADATA"]
        assert len(entries) == 1
        metadata = bytes(model.buffers[entries[0].buffer].data)
        assert metadata[4:8] == b"M001"
        assert _metadata.listed_files(metadata) == list(FILES)
        assert metadata == _metadata.build(FILES, ["image"], ["probabilities"])

    def test_metadata_is_what_others_read(self):
        """These bytes were read with tflite-support 0.4.4: all names and types."""
        content = _metadata.build(["labels.json", "a.txt"], ["image"], ["scores"])
        assert hashlib.sha256(content).hexdigest() == METADATA_SHA256

    @pytest.mark.parametrize(
        "kind", ["float32", "dynamic", "full_int8", "loop", "batch"]
    )
    def test_litert_returns_the_same(self, files, tmp_path, kind):
        path = shutil.copy(files[kind], tmp_path / "model.tflite")
        packed_files.pack(path, FILES)
        assert outputs(path) == outputs(files[kind])
        assert (
            lite.audit.audit_file(path)["ops"]
            == (lite.audit.audit_file(files[kind])["ops"])
        )

    def test_constants_behind_the_flatbuffer(self, path):
        expected = outputs(path)
        with_constants_behind(path)
        content = path.read_bytes()
        assert outputs(path) == expected
        for _ in range(2):
            packed_files.pack(path, FILES)
            assert outputs(path) == expected
            assert packed_files.read_all(path) == FILES
        packed_files.pack(path, {})
        assert path.read_bytes() == content

    def test_metadata_of_another_tool(self, path):
        def change(model):
            for name, data in ((b"TFLITE_METADATA", b"old"), (b"other", b"new")):
                entry, buffer = schema.MetadataT(), schema.BufferT()
                model.buffers.append(buffer)
                buffer.data = np.frombuffer(data, "uint8")
                entry.name, entry.buffer = name, len(model.buffers) - 1
                model.metadata = [*model.metadata, entry]

        rewrite(path, path, change)
        append_zip(path, {"old.txt": b"old"})
        assert packed_files.names(path) == ["old.txt"]
        packed_files.pack(path, FILES)
        names = [entry.name for entry in flatbuffer.read(path).metadata]
        assert names == [b"other", b"TFLITE_METADATA"]
        assert packed_files.read_all(path) == FILES
        packed_files.pack(path, {})
        names = [entry.name for entry in flatbuffer.read(path).metadata]
        assert names == [b"other"] and packed_files.names(path) == []
        assert outputs(path)

    def test_fields_of_a_newer_schema(self):
        """They are refused in the root, which is written anew."""
        builder = flatbuffers.Builder()
        builder.StartObject(12)
        builder.PrependUint32Slot(11, 7, 0)
        builder.Finish(builder.EndObject(), b"TFL3")
        with pytest.raises(ValueError, match="newer schema"):
            _model_front.with_metadata(bytes(builder.Output()), b"")


class TestErrors:
    @pytest.mark.parametrize(
        "name",
        ["", "/etc/a", "../a", "a/../b", "a//b", ".", "a\\b", "C:a", "a\nb", 7, "a/"],
    )
    def test_names(self, path, name):
        content = path.read_bytes()
        with pytest.raises(ValueError, match="must have a relative name"):
            packed_files.pack(path, {name: b""})
        with pytest.raises(ValueError, match="must have a relative name"):
            packed_files.read(path, name)
        assert path.read_bytes() == content

    def test_names_that_differ_in_case(self, path):
        with pytest.raises(ValueError, match="differ in more than case.*'A', 'a'"):
            packed_files.pack(path, {"A": b"", "a": b""})

    def test_in_neither_place(self, packed):
        message = "'vocab.json' is neither packed into .*model.tflite' nor beside it"
        with pytest.raises(ValueError, match=message):
            packed_files.read(packed, "vocab.json")

    @pytest.mark.parametrize("content", [None, b"", b"PK\3\4 and more of a zip file"])
    def test_no_tflite_file(self, tmp_path, content):
        path = tmp_path / "a.tflite"
        if content is not None:
            path.write_bytes(content)
        for work in (packed_files.names, packed_files.read_all):
            with pytest.raises(ValueError, match="no file|not a TFLite model"):
                work(path)
        with pytest.raises(ValueError, match="no file|not a TFLite|too short"):
            packed_files.pack(path, FILES)
        assert content is None or path.read_bytes() == content

    def test_too_large(self, path, monkeypatch):
        monkeypatch.setattr(_archive, "MAX_BYTES", 100)
        with pytest.raises(ValueError, match="At most 100 bytes can be packed"):
            packed_files.pack(path, {"a": bytes(101)})
        path.with_name("a").write_bytes(bytes(101))
        with pytest.raises(ValueError, match="larger than 100 bytes"):
            packed_files.read(path, "a")


class TestHostileFiles:
    def test_bomb(self, path, monkeypatch):
        monkeypatch.setattr(_archive, "MAX_BYTES", 10_000)
        bomb = {"a": bytes(9_000), "b": bytes(9_000), "c": bytes(10_001)}
        append_zip(path, bomb, compression=zipfile.ZIP_DEFLATED)
        assert packed_files.names(path) == ["a", "b", "c"]
        assert packed_files.read(path, "a") == bytes(9_000)
        with pytest.raises(ValueError, match="larger than 10000 bytes"):
            packed_files.read(path, "c")
        with pytest.raises(ValueError, match="larger than 10000 bytes"):
            packed_files.read_all(path)

    @pytest.mark.parametrize("name", ["../../a", "/a", "a\\..\\b"])
    def test_names(self, path, name):
        append_zip(path, {name: b"1"})
        for work in (packed_files.names, packed_files.read_all):
            with pytest.raises(ValueError, match="must have a relative name"):
                work(path)

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_name_twice(self, path):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("a", b"1")
            archive.writestr("a", b"2")
        path.write_bytes(path.read_bytes() + content.getvalue())
        with pytest.raises(ValueError, match="a name is there twice"):
            packed_files.names(path)

    def test_unrelated_zip(self, path):
        append_zip(path, {"folder/": b"", "folder/notes.txt": b"unrelated"})
        assert packed_files.read_all(path) == {"folder/notes.txt": b"unrelated"}
        with pytest.raises(ValueError, match="labels.json' is neither"):
            lite.ImageClassifier(path)
        packed_files.pack(path, FILES)
        assert packed_files.read_all(path) == FILES

    def test_end_of_the_zip_in_a_constant(self, path):
        """What looks like a zip's end, but is not at the end, is not one."""
        content = path.read_bytes() + b"PK\5\6" + bytes(40)
        path.write_bytes(content)
        assert packed_files.names(path) == []
        packed_files.pack(path, FILES)
        assert packed_files.read_all(path) == FILES and outputs(path)

    def test_damaged_content(self, packed):
        content = packed.read_bytes().replace(b"classify_image", b"classify_imago")
        packed.write_bytes(content)
        with pytest.raises(ValueError, match="damaged.*Bad CRC"):
            packed_files.read(packed, "card.json")

    def test_random_damage(self, packed, tmp_path):
        """Anything may happen to the end of a file but a crash."""
        content, refused = packed.read_bytes(), 0
        with zipfile.ZipFile(packed) as archive:
            start = archive.start_dir
        path = tmp_path / "damaged.tflite"
        for seed in range(150):
            generator, damaged = random.Random(seed), bytearray(content)
            for _ in range(generator.choice((1, 2, 20))):
                place = generator.randrange(start, len(damaged))
                damaged[place] = generator.choice((0, 0xFF, generator.randrange(256)))
            path.write_bytes(damaged)
            for work in (packed_files.names, packed_files.read_all, _repack):
                try:
                    work(path)
                except ValueError:
                    refused += 1
            assert outputs(path) if seed < 5 else True
        assert refused > 150

    def test_random_damage_of_the_model(self, packed, tmp_path):
        content, refused = packed.read_bytes(), 0
        path = tmp_path / "damaged.tflite"
        for seed in range(100):
            generator, damaged = random.Random(seed), bytearray(content)
            for _ in range(3):
                place = generator.randrange(0, 1500)
                damaged[place] = generator.randrange(256)
            path.write_bytes(damaged)
            try:
                _repack(path)
            except ValueError:
                refused += 1
        assert 25 < refused < 100


def _repack(path):
    packed_files.pack(path, FILES)


@pytest.mark.parametrize("content", ["text", 5, True, None, [1, 2]])
def test_contents_are_bytes(path, content):
    before = path.read_bytes()
    with pytest.raises(ValueError, match="dict of names and bytes.*Received: a="):
        packed_files.pack(path, {"a": content})
    with pytest.raises(ValueError, match="dict of names and bytes"):
        packed_files.pack(path, content)
    assert path.read_bytes() == before


def test_a_file_may_not_be_the_folder_of_another(path):
    with pytest.raises(ValueError, match="name of a folder of another"):
        packed_files.pack(path, {"a": b"1", "a/b": b"2"})


@pytest.mark.parametrize("change", [lambda x: x[:-1], lambda x: x + b"\n"])
def test_a_file_that_lost_its_end_is_damaged(packed, change):
    packed.write_bytes(change(packed.read_bytes()))
    for use in (
        packed_files.names,
        packed_files.read_all,
        lambda path: packed_files.read(path, "labels.json"),
        lambda path: packed_files.pack(path, {"a": b"1"}),
    ):
        with pytest.raises(ValueError, match=r"damaged.*labels\.json.* at its end"):
            use(packed)


def test_the_mode_of_the_file_stays(path):
    path.chmod(0o640)
    packed_files.pack(path, FILES)
    assert path.stat().st_mode & 0o777 == 0o640

"""The metadata that a `.tflite` file carries about the files packed into it.

A flatbuffer of the published schema `metadata_schema.fbs`, version 1.1.0. Of its tables
only those are written that a reader of packed files looks at: the list of the files,
and one entry for each input and output, which Android's extractor counts.

Reference:
    https://github.com/tensorflow/tflite-support,
    `tensorflow_lite_support/metadata/metadata_schema.fbs`.
"""

from collections.abc import Iterable, Sequence

import flatbuffers
from flatbuffers import encode, number_types, table

NAME = "TFLITE_METADATA"  # of the entry in the model that holds these bytes
_IDENTIFIER = b"M001"
_MIN_PARSER_VERSION = "1.0.1"  # the first that knows VOCABULARY
# Of the enumeration AssociatedFileType.
_DESCRIPTIONS, _TENSOR_AXIS_LABELS, _VOCABULARY = 1, 2, 5
# Slots of tables: where they list files, and where the tables below them are.
_MODEL, _GRAPH, _TENSOR = (6, (3,)), (4, (2, 3)), (6, ())
_TYPES = {
    "labels": _TENSOR_AXIS_LABELS,
    "vocabulary": _VOCABULARY,
    "characters": _VOCABULARY,
    "subwords": _VOCABULARY,
    "target_vocabulary": _VOCABULARY,
    "target_subwords": _VOCABULARY,
}


def build(
    file_names: Iterable[str], input_names: Iterable[str], output_names: Iterable[str]
) -> bytes:
    """Builds the metadata.

    Args:
        file_names: Names of the packed files.
        input_names: Names of the inputs of the first subgraph, in its order.
        output_names: Names of its outputs.

    Returns:
        The bytes of a `ModelMetadata` flatbuffer.
    """
    builder = flatbuffers.Builder()
    files = vector(builder, [_associated_file(builder, name) for name in file_names])
    sides = [
        vector(builder, [_table(builder, 7, {0: _string(builder, n)}) for n in names])
        for names in (input_names, output_names)
    ]
    graph = _table(builder, 7, {2: sides[0], 3: sides[1]})
    graphs = vector(builder, [graph])
    version = _string(builder, _MIN_PARSER_VERSION)
    model = _table(builder, 8, {3: graphs, 6: files, 7: version})
    builder.Finish(model, _IDENTIFIER)
    return bytes(builder.Output())


def listed_files(metadata: bytes) -> list[str]:
    """Names of the files that metadata list: for the model, subgraphs and tensors.

    Args:
        metadata: The bytes of a `ModelMetadata` flatbuffer.

    Returns:
        The names, each once.

    Raises:
        ValueError: If the bytes are no such flatbuffer.
    """
    try:
        if metadata[4:8] != _IDENTIFIER:
            raise ValueError(f"bytes 4 to 8 are {metadata[4:8]!r}")
        place = encode.Get(number_types.UOffsetTFlags.packer_type, metadata, 0)
        found = list(_listed([table.Table(metadata, place)], _MODEL, _GRAPH, _TENSOR))
    except Exception as error:  # a broken flatbuffer raises anything
        raise ValueError(f"The metadata are damaged ({error})") from error
    return list(dict.fromkeys(found))


def _listed(owners, slots, *more):
    files, below = slots
    for owner in owners:
        for entry in _below(owner, files):
            if offset := entry.Offset(4):
                yield entry.String(entry.Pos + offset).decode()
        for slot in below:
            yield from _listed(_below(owner, slot), *more)


def _below(owner, slot):
    """The tables in a list of a table."""
    offset = owner.Offset(4 + 2 * slot)
    if not offset:
        return
    start = owner.Vector(offset)
    for index in range(owner.VectorLen(offset)):
        yield table.Table(owner.Bytes, owner.Indirect(start + 4 * index))


def _associated_file(builder, name):
    text = _string(builder, name)
    kind = _TYPES.get(name.rpartition("/")[2].partition(".")[0], _DESCRIPTIONS)
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(0, text, 0)
    builder.PrependInt8Slot(2, kind, 0)
    return builder.EndObject()


def _string(builder, text):
    return builder.CreateString(text)


def _table(builder, num_fields, offsets):
    builder.StartObject(num_fields)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return builder.EndObject()


def vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    """Writes a list of tables or texts that are written already, by their offsets."""
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()

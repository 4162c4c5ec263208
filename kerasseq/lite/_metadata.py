"""The metadata that a `.tflite` file carries about the files packed into it.

A flatbuffer of the published schema `metadata_schema.fbs`, version 1.1.0. Of its tables
only those are written that a reader of packed files looks at: the list of the files,
and one entry for each input and output, which Android's extractor counts.

Reference:
    https://github.com/tensorflow/tflite-support,
    `tensorflow_lite_support/metadata/metadata_schema.fbs`.
"""

from collections.abc import Iterable

import flatbuffers

NAME = "TFLITE_METADATA"  # of the entry in the model that holds these bytes
_IDENTIFIER = b"M001"
_MIN_PARSER_VERSION = "1.0.1"  # the first that knows VOCABULARY
# Of the enumeration AssociatedFileType.
_DESCRIPTIONS, _TENSOR_AXIS_LABELS, _VOCABULARY = 1, 2, 5
_TYPES = {
    "labels": _TENSOR_AXIS_LABELS,
    "vocabulary": _VOCABULARY,
    "characters": _VOCABULARY,
    "subwords": _VOCABULARY,
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
    files = _vector(builder, [_associated_file(builder, name) for name in file_names])
    sides = [
        _vector(builder, [_table(builder, 7, {0: _string(builder, n)}) for n in names])
        for names in (input_names, output_names)
    ]
    graph = _table(builder, 7, {2: sides[0], 3: sides[1]})
    graphs = _vector(builder, [graph])
    version = _string(builder, _MIN_PARSER_VERSION)
    model = _table(builder, 8, {3: graphs, 6: files, 7: version})
    builder.Finish(model, _IDENTIFIER)
    return bytes(builder.Output())


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


def _vector(builder, offsets):
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()

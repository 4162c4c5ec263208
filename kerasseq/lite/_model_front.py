"""Metadata in front of a TFLite flatbuffer whose other bytes stay as they are.

A flatbuffer points forward only. So a new root can be written before an old file that
keeps its bytes, its alignment and whatever a newer schema than the installed one has
put there:

    new root, new list of buffers, new list of metadata | the old file, unchanged

Only positions counted from the beginning of the file move: those of constants that lie
behind the flatbuffer.
"""

import struct

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import _metadata

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16  # of constants, as the schema asks for
_NUM_FIELDS = 10  # of the table Model
_VERSION, _BUFFERS, _METADATA = 0, 4, 6  # the slots of what changes, and a number
# Positions behind the flatbuffer: slot 1 of Buffer, 9 of Operator.
_BUFFER_OFFSET, _OPTIONS_OFFSET = 1, 9


def with_metadata(content: bytes, metadata: bytes | None) -> bytes:
    """The same model with other metadata.

    Args:
        content: The bytes of a TFLite file, without what is packed behind it.
        metadata: What the entry `TFLITE_METADATA` is to hold, or `None` for no entry.

    Returns:
        The bytes of the file. They hang on the model and the metadata alone, not on
        what the entry held before if this module had written it.

    Raises:
        ValueError: If the file is of a newer schema.
    """
    content = _without_front(content)
    content += bytes(-len(content) % _ALIGNMENT)
    model = schema.Model.GetRootAs(content, 0)
    _check_fields(model._tab)
    kept = [
        x for x in _tables(model, "Metadata") if x.Name() != _metadata.NAME.encode()
    ]
    if metadata is None and len(kept) == model.MetadataLength():
        return content
    new = _front(content, model, kept, metadata)
    return _moved(new, len(new) - len(content))


def _front(content, model, kept, metadata):
    """The file with a new root."""
    size = len(content)
    builder = _builder_before(content, 1024 + 8 * model.BuffersLength(), metadata)
    buffers = [size - x._tab.Pos for x in _tables(model, "Buffers")]
    entries = [size - x._tab.Pos for x in kept]
    if metadata is not None:
        buffers.append(_buffer(builder, metadata))
        entries.append(_entry(builder, len(buffers) - 1))
    new = {
        _BUFFERS: _metadata.vector(builder, buffers),
        _METADATA: _metadata.vector(builder, entries),
    }
    builder.StartObject(_NUM_FIELDS)
    builder.PrependUint32Slot(_VERSION, model.Version(), 0)
    for slot in set(range(1, _NUM_FIELDS)) - set(new):
        if place := _field(model._tab, slot):
            new[slot] = size - model._tab.Indirect(place)
    for slot, offset in new.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    builder.Finish(builder.EndObject(), _IDENTIFIER)
    return builder.Output()


def _builder_before(content, room, metadata):
    """A builder that has written `content` and goes on in front of it."""
    builder = flatbuffers.Builder(0)
    room += len(metadata or b"")
    builder.Bytes = bytearray(room) + content
    builder.head = room
    return builder


def _buffer(builder, data):
    # The first object, right before the old file: `_without_front` finds that by it.
    builder.StartVector(1, len(data), _ALIGNMENT)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    vector = builder.EndVector()
    builder.StartObject(3)
    builder.PrependUOffsetTRelativeSlot(0, vector, 0)
    return builder.EndObject()


def _entry(builder, index):
    name = builder.CreateString(_metadata.NAME)
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUint32Slot(1, index, 0)
    return builder.EndObject()


def _without_front(content):
    """The old file, if this module has written a front before it."""
    model = schema.Model.GetRootAs(content, 0)
    entries = _tables(model, "Metadata")
    for entry in (x for x in entries if x.Name() == _metadata.NAME.encode()):
        buffer = model.Buffers(entry.Buffer())
        if buffer.DataIsNone():
            continue
        vector = buffer._tab.Vector(buffer._tab.Offset(4))
        end = vector + buffer.DataLength()
        start = end + -end % _ALIGNMENT
        if model._tab.Pos < start and content[start + 4 : start + 8] == _IDENTIFIER:
            old = schema.Model.GetRootAs(content[start:], 0)
            if _parts(old, start) == _parts(model, 0):
                return _moved(content[start:], -start)
    return content


def _parts(model, start):
    """Where the parts lie that both roots of a file have."""
    slots = set(range(_NUM_FIELDS)) - {_VERSION, _BUFFERS, _METADATA}
    places = {slot: _field(model._tab, slot) for slot in slots}
    tables = _tables(model, "Metadata")
    kept = [x for x in tables if x.Name() != _metadata.NAME.encode()]
    return (
        model.Version(),
        {k: start + model._tab.Indirect(x) for k, x in places.items() if x},
        [start + x._tab.Pos for x in kept],
    )


def _moved(content, by):
    """Counts positions behind the flatbuffer from another beginning of the file."""
    model = schema.Model.GetRootAs(content, 0)
    operators = (
        x for graph in _tables(model, "Subgraphs") for x in _tables(graph, "Operators")
    )
    places = {_field(x._tab, _BUFFER_OFFSET) for x in _tables(model, "Buffers")}
    places |= {_field(x._tab, _OPTIONS_OFFSET) for x in operators}
    content = bytearray(content)
    for place in places - {0}:
        (position,) = struct.unpack_from("<Q", content, place)
        if position > 1:  # 1 stands for none
            struct.pack_into("<Q", content, place, position + by)
    return bytes(content)


def _tables(owner, name):
    number = getattr(owner, f"{name}Length")()
    return [getattr(owner, name)(index) for index in range(number)]


def _field(table, slot):
    """Where a field lies in the file; 0 if it is left out."""
    offset = table.Offset(4 + 2 * slot)
    return table.Pos + offset if offset else 0


def _check_fields(table):
    vtable = table.Pos - struct.unpack_from("<i", table.Bytes, table.Pos)[0]
    (size,) = struct.unpack_from("<H", table.Bytes, vtable)
    if any(table.Offset(place) for place in range(4 + 2 * _NUM_FIELDS, size, 2)):
        raise ValueError(
            "The file is of a newer schema than ai-edge-litert knows; update it."
        )

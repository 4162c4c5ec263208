"""TFLite files with a change."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def rewrite(source, target, change):
    """Copies a TFLite file with a change to its object tree."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(source.read_bytes(), 0))
    change(model)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    target.write_bytes(builder.Output())
    return target

"""Files of random ops, whole as flatbuffers, with tensors that may not fit them."""

import random

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.lite.hand_made import FileMaker

_NAMES = sorted(n for n in vars(schema.BuiltinOperator) if not n.startswith("_"))
_TYPES = ("float32", "int8", "int32", "uint8", "bool", "int64", "int16", "float16")
_SIZES = (1, 1, 2, 3, 4, 8)
_OPTIONS = {name[:-1]: kind for name, kind in vars(schema).items() if name[-1:] == "T"}


def write(path, seed):
    """Writes a file of one to three ops.

    Args:
        path: Path of the file.
        seed: What decides.
    """
    generator = random.Random(seed)
    maker = FileMaker()
    dtype = generator.choice(_TYPES[: generator.randint(1, len(_TYPES))])
    shape = _shape(generator)
    tensors = [maker.tensor(shape, dtype, scales=_scales(generator))]
    for _ in range(generator.choice((1, 1, 1, 2, 3))):
        inputs = [
            generator.choice(tensors)
            if generator.random() < 0.6
            else _constant(maker, generator, dtype)
            for _ in range(generator.choice((1, 1, 2, 2, 2, 3, 4)))
        ]
        name = generator.choice(_NAMES)
        similar = generator.random() < 0.8
        size = shape if similar else _shape(generator)
        kind = dtype if similar else generator.choice(_TYPES)
        scales, options = _scales(generator), _options(name, generator)
        version = generator.choice((1, 1, 2, 3, 5))
        tensors.append(
            maker.op(name, inputs, size, kind, options, version, scales=scales)
        )
    outputs = {"y": tensors[-1]}
    return maker.write(path, "serve", {"x": tensors[0]}, outputs)


def _shape(generator):
    return [generator.choice(_SIZES) for _ in range(generator.choice((1, 2, 2, 4, 4)))]


def _scales(generator):
    return generator.choice((None, [0.1], [0.1], [0.1, 0.2]))


def _constant(maker, generator, dtype):
    kind = generator.choice((dtype, dtype, "int32"))
    shape = _shape(generator)
    values = np.array([generator.randint(-1, 3) for _ in range(np.prod(shape))])
    values = values.astype(kind).reshape(shape)
    return maker.tensor(shape, kind, values, scales=_scales(generator))


def _options(name, generator):
    """Options of the kind that the op has, with their defaults or small numbers."""
    plain = name.replace("_", "").lower()
    kinds = [k for n, k in _OPTIONS.items() if n.lower() == f"{plain}options"]
    if not kinds or generator.random() < 0.1:
        return None
    options = kinds[0]()
    for field, value in vars(options).items():
        if isinstance(value, int) and not isinstance(value, bool):
            setattr(options, field, generator.choice((0, 1, 1, 1, 2, 3)))
    return options

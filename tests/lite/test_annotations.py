"""Public functions of what runs without Keras say their types."""

import ast
import pathlib

import pytest

import kerasseq
from kerasseq import lite

ROOT = pathlib.Path(kerasseq.__file__).parent
MODULES = sorted(
    path for folder in ("lite", "doctor") for path in (ROOT / folder).glob("*.py")
)


def public_functions(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from public_functions(child)
        is_special = getattr(child, "name", "").endswith("__")
        if isinstance(child, ast.FunctionDef):
            if is_special or not child.name.startswith("_"):
                yield child


def is_annotated(function):
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    arguments += [x for x in (given.vararg, given.kwarg) if x]
    names = {x.arg for x in arguments if x.annotation is None}
    return function.returns is not None and names <= {"self", "cls"}


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: f"{path.parent.name}.{path.stem}"
)
def test_public_functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = [f.name for f in public_functions(tree) if not is_annotated(f)]
    assert missing == []


def test_exports():
    assert sorted(lite.__all__) == dir(lite)
    assert all(getattr(lite, name) for name in lite.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = lite.Nothing

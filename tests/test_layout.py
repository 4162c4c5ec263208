"""Where things lie, what they are called, and which way imports run: docs/design.md."""

import ast
import importlib
import pathlib
import pkgutil
import subprocess
import sys
import types

import pytest

import kerasseq

ROOT = pathlib.Path(kerasseq.__file__).parents[1]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("kerasseq/*/__init__.py"))
RECIPES = sorted(
    path.parent.name
    for path in (ROOT / "recipes").glob("*/__init__.py")
    if path.parent.name != "shared"
)

# What each package may import of the others: the arrows of the design, one way.
ON_THE_DEVICE = {"utils", "lite", "doctor"}
BELOW_MODELS = ON_THE_DEVICE | {"ops", "layers"}
BELOW_EXPORT = BELOW_MODELS | {"models"}
BESIDE_EACH_OTHER = {"data", "training", "decoding", "explain", "convert"}
MAY_IMPORT = {
    "utils": set(),
    "ops": set(),
    "lite": {"utils"},
    "doctor": {"utils", "lite"},
    "layers": ON_THE_DEVICE | {"ops"},
    "models": BELOW_MODELS,
    **dict.fromkeys(BESIDE_EACH_OTHER, BELOW_EXPORT),
    "export": BELOW_EXPORT | BESIDE_EACH_OTHER,
    "commands": BELOW_EXPORT | BESIDE_EACH_OTHER | {"export"},
}

# The subject of these is TensorFlow; all the rest speaks keras.ops.
WITH_TENSORFLOW = ("data/", "export/", "convert/", "explain/")
# The TensorFlow half of the loops over time, and of random numbers.
OPS_OF_TENSORFLOW = ("ops/_buffer_loop.py", "ops/_fused_lstm_tensorflow.py")
OPS_OF_TENSORFLOW += ("ops/_time_loop.py", "ops/_dropout.py", "ops/_manual_gradient.py")

# It trains the recipe's models on less data, with the recipe's own functions.
BENCHMARKS_OF_A_RECIPE = {"data_size.py": "classify_image"}

ANNOTATED = ("commands", "convert", "explain", "export", "utils")
IN_A_RECIPE = ["load_data", "build_model", "train", "evaluate", "export", "main"]

BLOCKED = """
import importlib, pkgutil, sys
for name in ("keras", "tensorflow", "jax", "torch"):
    sys.modules[name] = None  # any import of it raises
for name in ("kerasseq.lite", "kerasseq.doctor"):
    package = importlib.import_module(name)
    for public in package.__all__:
        getattr(package, public)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        importlib.import_module(module.name)
importlib.import_module("kerasseq.commands.doctor")
"""


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path):
    """Full names of all that a file imports, also in functions."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imported_parts(path, package):
    """The second parts of what a file imports of a package."""
    names = [name.split(".") for name in imported(path)]
    return {name[1] for name in names if name[0] == package and len(name) > 1}


def public_definitions(path):
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = [node.name for node in tree(path).body if isinstance(node, kinds)]
    return [name for name in names if not name.startswith("_")]


def public_functions(body, of_class=""):
    """Public functions and methods, `__init__` among them."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            if not node.name.startswith("_") or node.name == "__init__":
                yield f"{of_class}{node.name}", node


def unannotated(function):
    """Names of arguments, and `return`, that have no type."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [x for x in (arguments.vararg, arguments.kwarg) if x is not None]
    missing = [x.arg for x in named if x.annotation is None]
    missing += [] if function.returns is not None else ["return"]
    return [name for name in missing if name not in ("self", "cls")]


def test_no_module_lies_loose_at_the_top():
    names = {path.name for path in (ROOT / "kerasseq").glob("*.py")}
    assert names == {"__init__.py", "cli.py"}
    assert set(PACKAGES) == set(MAY_IMPORT)


def test_no_module_has_the_name_of_what_it_defines():
    public = [x for x in sources("kerasseq") if not x.stem.startswith("_")]
    assert [x for x in public if x.stem in public_definitions(x)] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_lists_what_is_public(name):
    """Each public name can be imported, and no module of the package hides it."""
    package = importlib.import_module(f"kerasseq.{name}")
    listed = getattr(package, "__all__", None)
    if listed is None:
        listed = [key for key in vars(package) if not key.startswith("_")]
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    for public in listed:
        value = getattr(package, public)
        assert (public in modules) == isinstance(value, types.ModuleType), public
    path = ROOT / "kerasseq" / name / "__init__.py"
    assert public_definitions(path) == [], "define it in a module of its own"


@pytest.mark.parametrize("name", PACKAGES)
def test_imports_run_one_way(name):
    for path in sources(f"kerasseq/{name}"):
        found = imported_parts(path, "kerasseq") - {name}
        assert found <= MAY_IMPORT[name], path
        assert not imported_parts(path, "recipes"), path


def test_no_recipe_imports_another():
    for path in sources("recipes"):
        own = path.relative_to(ROOT / "recipes").parts[0]
        allowed = {own, "shared"} if own in RECIPES else {"shared"}
        assert imported_parts(path, "recipes") <= allowed, path


def test_benchmarks_import_what_recipes_share():
    for path in sources("benchmarks"):
        allowed = {"shared", BENCHMARKS_OF_A_RECIPE.get(path.name)}
        assert imported_parts(path, "recipes") <= allowed, path


def test_tensorflow_is_imported_where_it_is_the_subject():
    for path in sources("kerasseq"):
        where = path.relative_to(ROOT / "kerasseq").as_posix()
        if not where.startswith(WITH_TENSORFLOW) and where not in OPS_OF_TENSORFLOW:
            roots = {name.split(".")[0] for name in imported(path)}
            assert "tensorflow" not in roots, path


def test_the_device_side_needs_no_framework():
    result = subprocess.run(
        [sys.executable, "-c", BLOCKED], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ANNOTATED)
def test_public_functions_are_annotated(name):
    for path in sources(f"kerasseq/{name}"):
        for function, node in public_functions(tree(path).body):
            assert unannotated(node) == [], f"{path}: {function}"


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_the_functions_of_all(name):
    names = public_definitions(ROOT / "recipes" / name / "__main__.py")
    assert [name for name in names if name in IN_A_RECIPE] == IN_A_RECIPE


def test_pillow_is_told_which_formats_to_try():
    """Some of its readers start other programs, whatever a file is called."""
    calls = [
        (path, node)
        for folder in ("kerasseq", "recipes")
        for path in sources(folder)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Image.open")
    ]
    assert calls
    for path, node in calls:
        assert "formats" in {keyword.arg for keyword in node.keywords}, path

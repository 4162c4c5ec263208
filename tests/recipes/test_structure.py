"""Every recipe has the same files and functions, and stands alone."""

import ast
import pathlib
import subprocess
import sys

import pytest

RECIPES = pathlib.Path(__file__).parents[2] / "recipes"
NAMES = [x.name for x in sorted(RECIPES.iterdir()) if (x / "__main__.py").exists()]
FUNCTIONS = ["define_flags", "check", "load_data", "build_model", "train"]
FUNCTIONS += ["evaluate", "export", "main"]
FILES = {"__init__.py", "__main__.py", "data.py", "model.py", "evaluate.py"}
FILES |= {"use_file.py"}
LONGEST = 36
FACTS = ("What: ", "Time: ", "Score: ", "Size: ", "    python -m recipes.")


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    """The modules that a file imports, at its top or within its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_same_functions_in_the_same_order(name):
    assert {path.name for path in (RECIPES / name).iterdir()} >= FILES
    tree = parsed(RECIPES / name / "__main__.py")
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [function.name for function in functions] == FUNCTIONS
    assert all(ast.get_docstring(function) for function in functions)
    lengths = {x.name: x.end_lineno - x.lineno + 1 for x in functions}
    assert max(lengths.values()) <= LONGEST, lengths


def test_all_are_listed():
    command = [sys.executable, "-m", "recipes"]
    options = {"capture_output": True, "text": True, "cwd": RECIPES.parent}
    out = subprocess.run(command, check=True, **options).stdout
    assert all(f"python -m recipes.{name} " in out for name in NAMES)


def test_the_run_sheet(name):
    sheet = ast.get_docstring(parsed(RECIPES / name / "__main__.py"), clean=False)
    flat = " ".join(sheet.split())
    missing = [fact for fact in FACTS if fact not in flat and fact not in sheet]
    assert not missing


def test_nothing_of_one_recipe_is_imported_by_another(name):
    own = ("recipes.shared", f"recipes.{name}")
    for path in (RECIPES / name).glob("*.py"):
        foreign = [x for x in imported(parsed(path)) if x.split(".")[0] == "recipes"]
        foreign = [x for x in foreign if not x.startswith(own)]
        assert not foreign, path


def test_what_is_shared_imports_no_recipe():
    for path in (RECIPES / "shared").glob("*.py"):
        foreign = [x for x in imported(parsed(path)) if x.split(".")[0] == "recipes"]
        assert all(x.startswith("recipes.shared.") for x in foreign), path

"""Lists the recipes; `python -m recipes.NAME --help` says more of one."""

import ast
import pathlib


def main():
    """Prints the name of each recipe and what it does."""
    print("Each recipe trains a model, exports it, and uses the exported file:\n")
    for path in sorted(pathlib.Path(__file__).parent.glob("*/__main__.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        summary = docstring.partition("\n")[0]
        print(f"  python -m recipes.{path.parent.name:<15} {summary}")
    print("\nAdd --help for its flags.")


if __name__ == "__main__":
    main()

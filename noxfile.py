"""The checks in environments of their own: `nox`, or `nox -s lint`.

CONTRIBUTING.md says which of them have been run, and on what.
"""

import nox

nox.options.sessions = ["lint", "tests", "wheel"]

# Those for which TensorFlow 2.21 has wheels.
PYTHONS = ["3.11", "3.12", "3.13"]


@nox.session(python=PYTHONS)
def tests(session):
    """The tests; `nox -s tests-3.12 -- tests/lite tests/ops` for a part of them."""
    session.install("--editable", ".[dev]")
    arguments = session.posargs or ["--numprocesses", "2", "--dist", "loadfile"]
    session.run("python", "-m", "pytest", *arguments)


@nox.session(python=PYTHONS[0])
def lint(session):
    """Style, and the types of the public functions."""
    session.install("--editable", ".[dev]")
    session.run("python", "-m", "ruff", "check", ".")
    session.run("python", "-m", "ruff", "format", "--check", ".")
    session.run("python", "-m", "mypy")


@nox.session(python=PYTHONS[0])
def wheel(session):
    """Both distributions, and the wheel where there is neither Keras nor TensorFlow."""
    session.install("--editable", ".[dev]")
    session.run("python", "-m", "build", "--outdir", session.create_tmp())
    session.run("python", "-m", "pytest", "-m", "slow", "tests/test_packaging.py")

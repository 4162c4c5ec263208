"""Where LiteRT.js comes from: npm, once, or a folder."""

import os
import shutil

import pytest

from recipes.shared import web_library

COMPLETE = "\n".join(
    f"mkdir -p $(dirname node_modules/@litertjs/{name})\n"
    f"echo content > node_modules/@litertjs/{name}"
    for name in web_library.FILES
)


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Puts a script in the place of npm, with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def replace(script):
        path = tmp_path / "npm"
        path.write_text(f"#!/bin/sh\necho run >> {tmp_path}/calls\n{script}\n")
        path.chmod(0o755)
        return lambda: (tmp_path / "calls").read_text().count("run")

    return replace


def test_fetched_once(npm, tmp_path):
    num_calls = npm(f"test -f package-lock.json || exit 1\n{COMPLETE}")
    folder = web_library.find()
    assert all((folder / name).is_file() for name in web_library.FILES)
    assert (folder, num_calls()) == (web_library.find(), 1)
    assert web_library.find(folder.parents[1]) == folder


@pytest.mark.parametrize(
    "script, message",
    [
        ("echo npm error code EINTEGRITY >&2; exit 1", "EINTEGRITY"),
        ("mkdir node_modules", "did not bring"),
    ],
)
def test_a_failed_fetch_leaves_nothing(npm, tmp_path, script, message):
    npm(script)
    with pytest.raises(ValueError, match=message):
        web_library.find()
    assert [*(tmp_path / "cache" / "kerasseq").iterdir()] == []


def test_without_npm(npm, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="Install npm .*no npm on the PATH"):
        web_library.find()


def test_an_incomplete_folder(tmp_path):
    with pytest.raises(ValueError, match="npm install @litertjs/core@.* lacks .*core"):
        web_library.find(tmp_path)


@pytest.mark.slow
def test_npm_refuses_other_content(npm, tmp_path, monkeypatch):
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    for path in web_library.SOURCES.glob("package*.json"):
        text = path.read_text().replace("sha512-PlG", "sha512-AAA")
        (tmp_path / path.name).write_text(text)
    monkeypatch.setattr(web_library, "SOURCES", tmp_path)
    with pytest.raises(ValueError, match="npm error code") as caught:
        web_library.find()
    if "EINTEGRITY" not in str(caught.value):
        pytest.skip(f"the registry was not reached: {caught.value}")

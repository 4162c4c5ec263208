"""LiteRT.js, which runs a `.tflite` file in a browser: where its files are.

npm fetches it once into a cache. `web/package-lock.json` pins version and checksums.
"""

import json
import os
import pathlib
import shutil
import subprocess

from kerasseq.utils import atomic

SOURCES = pathlib.Path(__file__).parent / "web"
FILES = (
    "core/package.json",
    "core/dist/index.js",
    "core/wasm/litert_wasm_internal.js",
    "core/wasm/litert_wasm_internal.wasm",
    # For browsers without relaxed SIMD.
    "core/wasm/litert_wasm_compat_internal.js",
    "core/wasm/litert_wasm_compat_internal.wasm",
    "wasm-utils/package.json",
    "wasm-utils/dist/index.js",
)
_NPM = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
_TIMEOUT = 600


def find(given=None):
    """The folder that holds `FILES`, fetched with npm if need be.

    Args:
        given: A folder where `npm install` was run for `package()`, or `None`.

    Returns:
        A `pathlib.Path`.

    Raises:
        ValueError: if the library is not there, or npm cannot fetch it.
    """
    if given is None:
        return _in_cache()
    folder = _packages(given)
    missing = _missing(folder)
    if missing:
        raise ValueError(
            f"--web_library is a folder where `npm install {package()}` was run. "
            f"Received: {given!r}, which lacks {folder / missing[0]}"
        )
    return folder


def package():
    """Name and version, as npm takes them."""
    content = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    return "@".join(*content["dependencies"].items())


def _packages(folder):
    return pathlib.Path(folder) / "node_modules" / "@litertjs"


def _missing(folder):
    return [name for name in FILES if not (folder / name).is_file()]


def _in_cache():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    cache = pathlib.Path(home, "kerasseq", package().replace("/", "-").strip("@"))
    if _missing(_packages(cache)):
        with atomic.replace_folder(cache) as folder:
            _fetch(folder)
    return _packages(cache)


def _fetch(folder):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, folder)
    npm = shutil.which("npm")
    if npm is None:
        raise _unfetched("no npm on the PATH")
    print(f"Fetching {package()} with npm")
    try:
        done = subprocess.run(
            [npm, *_NPM, "--loglevel=error"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise _unfetched(f"npm was not done in {_TIMEOUT} s") from error
    missing = _missing(_packages(folder))
    if done.returncode or missing:
        lines = [x for x in done.stderr.splitlines() if x.startswith("npm error")]
        raise _unfetched("; ".join(lines[:3]) or f"npm did not bring {missing}")


def _unfetched(reason):
    return ValueError(
        f"--web needs {package()}, which npm fetches. Install npm (of Node.js) and "
        f"connect, or run `npm install {package()}` in a folder elsewhere and give a "
        f"copy of it with --web_library. Received: {reason}"
    )

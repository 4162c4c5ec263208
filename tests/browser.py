"""A page of a folder in headless Chromium."""

import contextlib
import functools
import http.server
import json
import queue
import shutil
import subprocess
import tempfile
import threading

from recipes.shared import web_library

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
_HARNESS = """<!DOCTYPE html><iframe src="index.html"></iframe><script type="module">
const frame = document.querySelector('iframe');
async function ask(page, kerasseq) {
  %s
}
let answer;
try {
  await new Promise((resolve) => { frame.onload = resolve; });
  const page = frame.contentWindow;
  answer = {value: await ask(page, await page.kerasseq)};
} catch (error) {
  answer = {error: `${error.stack ?? error}`};
}
await fetch('answer', {method: 'POST', body: JSON.stringify(answer)});
</script>"""


def fake_library(folder):
    """A folder for `--web_library` with files that hold nothing but their names."""
    for name in web_library.FILES:
        path = folder / "node_modules" / "@litertjs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def ask(folder, script, timeout=240):
    """What a script returns in the page of a folder, `index.html`.

    Args:
        folder: The folder that is served.
        script: Body of an asynchronous function of `page`, the window, and `kerasseq`,
            what its promise of that name holds. It returns what JSON can hold.
        timeout: In seconds.
    """
    answers = queue.Queue()
    with _served(folder, _HARNESS % script, answers) as address, _opened(address):
        answer = answers.get(timeout=timeout)
    if "error" in answer:
        raise AssertionError(answer["error"])
    return answer.get("value")


@contextlib.contextmanager
def _served(folder, harness, answers):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/harness":
                return super().do_GET()
            self._reply(harness.encode())

        def do_POST(self):
            size = int(self.headers["Content-Length"])
            answers.put(json.loads(self.rfile.read(size)))
            self._reply(b"")

        def _reply(self, content):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/harness"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def _opened(address):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu"]
        command += ["--disable-dev-shm-usage", f"--user-data-dir={profile}", address]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
            try:
                yield
            finally:
                process.terminate()

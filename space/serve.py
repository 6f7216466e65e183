"""Serve the built page on this machine, with the headers in the Space's README.md.

python space/serve.py [PORT]
"""

import sys
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

DIST = Path(__file__).parent / "dist"


def custom_headers(readme: Path) -> dict[str, str]:
    """Read the `custom_headers` of a Space's README.md."""
    front_matter = readme.read_text(encoding="utf-8").split("---\n")[1]
    return yaml.safe_load(front_matter)["custom_headers"]


class PageHandler(SimpleHTTPRequestHandler):
    """Serves a built page, with the Space's headers if `isolated`."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".js": "text/javascript"}

    def __init__(self, *args, directory: Path, isolated: bool = True, **kwargs):
        self.headers_added = custom_headers(directory / "README.md") if isolated else {}
        super().__init__(*args, directory=directory, **kwargs)

    def end_headers(self) -> None:
        for name, value in self.headers_added.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *args) -> None:
        pass


def server(dist: Path = DIST, port: int = 8000, isolated: bool = True) -> ThreadingHTTPServer:
    """Make a server of `dist` on the loopback interface; port 0 chooses a free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(PageHandler, directory=dist, isolated=isolated))


if __name__ == "__main__":
    if not DIST.is_dir():
        sys.exit(f"serve.py: {DIST}: is missing; run `python space/build.py` first")
    with server(port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000) as page:
        print(f"http://127.0.0.1:{page.server_port}", flush=True)
        with suppress(KeyboardInterrupt):
            page.serve_forever()

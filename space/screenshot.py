"""Take the picture of the page that predicts in the browser, `docs/space.png`.

    npm --prefix space ci --ignore-scripts
    python space/screenshot.py

Needs Chromium and the Python package `playwright`. The page is as wide as the documentation shows it.
"""

import shutil
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import build
import serve
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parents[1] / "docs" / "space.png"
WIDTH = 736
CHANGED = "native_strong"
"""The promoter whose single changes are shown."""


def main() -> None:
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        build.build(dist := Path(folder) / "dist")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, device_scale_factor=1.5)
        with serve.server(dist, port=0) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            page.goto(f"http://127.0.0.1:{server.server_port}")
            page.wait_for_selector("body[data-ready]")
            page.click("#examples")
            while not page.input_value("#sequences"):
                page.wait_for_timeout(20)
            page.click("#go")
            page.click(f"#predictions tbody button:text-is('{CHANGED}')")
            page.wait_for_selector("#changes:not([hidden])")
            page.mouse.move(0, 0)
            page.screenshot(path=PICTURE, full_page=True)
            server.shutdown()
        browser.close()


if __name__ == "__main__":
    main()

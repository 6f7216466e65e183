"""Time the Space's page in headless Chromium, isolated (several threads) and not (one thread).

    npm --prefix space ci --ignore-scripts
    python space/build.py
    python benchmarks/space.py

needs Chromium and the Python package `playwright`. Times are measured from the click, or from opening the page, until
the table shows. The page's model, which has weights in 8 bits, is also compared with the float32 one.
"""

import argparse
import shutil
import sys
import threading
import time
from pathlib import Path

import measuring
import numpy as np
import onnxruntime
from playwright.sync_api import sync_playwright

from dream_bert import predict
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.sequence.encoding import encode

sys.path.insert(0, str(Path(__file__).parents[1] / "space"))
import build  # noqa: E402
import serve  # noqa: E402

SIZES = (1, 300, 10_000)


def random_promoters(count: int) -> str:
    draw = np.random.default_rng(0)
    return "\n".join("".join(row) for row in draw.choice(list("ACGT"), (count, 80)))


def seconds_until(page, selector: str, act) -> float:
    begin = time.perf_counter()
    act()
    page.wait_for_selector(selector, timeout=300_000)
    return time.perf_counter() - begin


def enter(page, text: str) -> None:
    page.locator("#sequences").evaluate("(box, text) => (box.value = text)", text)


def visit(browser, url: str) -> dict[str, float]:
    """Return the seconds of each step of one visit with an empty cache."""
    context = browser.new_context()
    page = context.new_page()
    shown = "#results:not([hidden])"

    def open_and_predict() -> None:
        page.goto(url)
        page.wait_for_selector("body[data-ready]")
        enter(page, random_promoters(1))
        page.click("button.primary")

    seconds = {"opening to first prediction": seconds_until(page, shown, open_and_predict)}
    for size in SIZES:
        enter(page, random_promoters(size))
        seconds[f"{size:,} predictions"] = seconds_until(page, shown, lambda: page.click("button.primary"))
    first_name = "#predictions tbody button >> nth=0"
    seconds["240 single changes"] = seconds_until(page, "#changes:not([hidden])", lambda: page.click(first_name))
    context.close()
    return seconds


def agreement(count: int = 1000) -> dict[str, float]:
    """Compare the page's model with the float32 one on random promoters."""
    model, inserts = load_model(DEFAULT_MODEL), random_promoters(count).splitlines()
    session = onnxruntime.InferenceSession(build.DIST / build.MODEL, providers=["CPUExecutionProvider"])
    (expression,) = session.run(None, encode(inserts, model.config))
    expected = predict(inserts, model).astype(np.float64)
    differences = np.abs(expression[:, 0] - expected)
    return {
        "pearson": float(np.corrcoef(expression[:, 0], expected)[0, 1]),
        "mean_difference": float(differences.mean()),
        "max_difference": float(differences.max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    servers = {"isolated": serve.server(port=0), "not isolated": serve.server(port=0, isolated=False)}
    visits = {name: [] for name in servers}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for server in servers.values():
            threading.Thread(target=server.serve_forever, daemon=True).start()
        for _ in range(repeats):
            for name, server in servers.items():
                visits[name].append(visit(browser, f"http://127.0.0.1:{server.server_port}"))
        chromium = browser.version
    results = {
        name: {step: measuring.spread([visit[step] for visit in many]) for step in many[0]}
        for name, many in visits.items()
    }
    machine = measuring.machine("playwright", "onnxruntime") | {"chromium": chromium}
    rows = [[step, *(f"{results[name][step]['median']:.2f} s" for name in results)] for step in results["isolated"]]
    print(machine)
    print(measuring.table(["", *results], rows))
    with_float32 = agreement()
    print(with_float32)
    measuring.write(__file__, {"machine": machine, "seconds": results, "agreement": with_float32})


if __name__ == "__main__":
    main()

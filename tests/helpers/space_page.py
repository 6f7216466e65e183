"""Visits of the built page: what to enter, and what comes back."""

import csv
import json
from contextlib import contextmanager

import numpy as np

from dream_bert.inference.intervals import half_width
from dream_bert.inference.model_files import DEFAULT_MODEL

CALIBRATION = json.loads((DEFAULT_MODEL / "config.json").read_text())["calibration"]


@contextmanager
def visited(chromium, site, **context):
    context = chromium.new_context(**context)
    requests, failures = [], []
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
    page.goto(site)
    page.wait_for_selector("body[data-ready]")
    yield page
    assert requests and not [url for url in requests if not url.startswith((f"{site}/", f"blob:{site}"))]
    assert not failures
    context.close()


def random_inserts(count: int, shortest: int = 80, longest: int = 80) -> list[str]:
    draw = np.random.default_rng(count)
    return ["".join(draw.choice(list("ACGT"), size)) for size in draw.integers(shortest, longest + 1, count)]


def choose(page, task: str) -> None:
    page.click(f"#tasks label:has([value={task}])")


def submit(page, text: str) -> None:
    page.locator("#sequences").evaluate("(box, text) => (box.value = text)", text)  # `fill` types: slow for 10,000
    page.click("button.primary")


def downloaded(page, button: str = "#download") -> list[list[str]]:
    with page.expect_download() as download:
        page.click(button)
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", strict=True))


def predicted(page, text: str) -> list[tuple[str, str, str]]:
    """Id, expression and note of the TSV that the page makes of a text."""
    submit(page, text)
    page.wait_for_selector("#results:not([hidden])")
    header, *rows = downloaded(page)
    assert header == ["id", "expression", "lower", "upper", "note"]
    return [(id, expression, note) for id, expression, _, _, note in rows]


def expression_of(rows: list[tuple[str, str, str]]) -> list[float]:
    return [float(expression) for _, expression, _ in rows]


def assert_agrees(expression, expected) -> None:
    np.testing.assert_allclose(expression, expected, atol=1e-4)  # two engines, of values up to 17, and four decimals


def done(page, section: str) -> None:
    page.wait_for_selector(f"#{section}:not([hidden])")
    page.wait_for_selector("#stop", state="hidden", timeout=120_000)


def numbers(rows: list[list[str]], *columns: int) -> np.ndarray:
    return np.array([[float(row[column]) for column in columns] for row in rows]).squeeze()


def assert_intervals(expression, ends, level: float = 0.9) -> None:
    half = half_width(CALIBRATION, level)(np.float32(expression))
    np.testing.assert_allclose(ends, np.stack([expression - half, expression + half], axis=1), atol=3e-4)


def told(page) -> str:
    """The line that a bad input gets; nothing is shown beside it."""
    assert not [name for name in ("windows", "comparison", "improvement", "results") if page.is_visible(f"#{name}")]
    assert "NaN" not in page.inner_text("body")
    return page.inner_text("#activity")


def scanned(page, text: str, step: str = "10", both: bool = False) -> list[list[str]]:
    choose(page, "windows")
    page.fill("#step", step)
    page.set_checked("#both", both)
    submit(page, text)
    done(page, "windows")
    header, *rows = downloaded(page)
    assert header == ["id", "start", "end", "strand", "expression", "lower", "upper", "note"]
    return rows


def compared(page, first: str, second: str) -> None:
    choose(page, "compare")
    submit(page, f">a\n{first}\n>b\n{second}\n")
    done(page, "comparison")


def scrolling_sideways(page) -> list[str]:
    """Ids, or names, of the elements that hold more than their width, so that a reader has to scroll them sideways."""
    return page.evaluate(
        """() => [...document.querySelectorAll("*")]
            .filter((element) => element.scrollWidth > element.clientWidth)
            .filter((element) => element === document.documentElement ||
                ["auto", "scroll"].includes(getComputedStyle(element).overflowX))
            .map((element) => element.id || element.tagName)"""
    )

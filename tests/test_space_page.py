"""The built page in headless Chromium: its numbers are Python's, bad input is told, and nothing leaves the origin."""

import gzip
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from space_site import LONGEST, NO_PACKAGES, PACKAGES, script, served

from dream_bert import DreamBertConfig
from dream_bert.construct import OLIGO_END, OLIGO_START
from dream_bert.encoding import encode
from dream_bert.prediction import DEFAULT_MODEL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(chromium, tmp_path_factory):
    pytest.importorskip("onnxruntime")
    if not PACKAGES.is_dir():
        pytest.skip(NO_PACKAGES)
    dist = tmp_path_factory.mktemp("space") / "dist"
    script("build").build(dist)
    return dist


@pytest.fixture(scope="module")
def site(dist):
    with served(dist) as url:
        yield url


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program:
        pytest.skip("chromium is not here")
    with playwright.sync_playwright() as driver:
        # Without a sandbox, which a container's root has not; the page is our own.
        yield driver.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.fixture
def page(chromium, site):
    """The page, loaded; no request of it may leave the origin, and nothing may fail in it."""
    with visited(chromium, site) as page:
        yield page


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


@pytest.fixture(scope="module")
def in_python(dist):
    """Expression of inserts by the built model in ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(dist / "model" / "model_int8.onnx", providers=["CPUExecutionProvider"])
    config = DreamBertConfig.from_pretrained(DEFAULT_MODEL)
    # One at a time: no padding, as on the page.
    return lambda inserts: np.array([session.run(None, encode([insert], config))[0].item() for insert in inserts])


def random_inserts(count: int, shortest: int = 80, longest: int = 80) -> list[str]:
    draw = np.random.default_rng(count)
    return ["".join(draw.choice(list("ACGT"), size)) for size in draw.integers(shortest, longest + 1, count)]


def submit(page, text: str) -> None:
    page.locator("#sequences").evaluate("(box, text) => (box.value = text)", text)  # `fill` types: slow for 10,000
    page.click("button.primary")


def downloaded(page, button: str = "#download") -> list[list[str]]:
    with page.expect_download() as download:
        page.click(button)
    return [line.split("\t") for line in download.value.path().read_text().splitlines()]


def predicted(page, text: str) -> list[list[str]]:
    """The rows of the TSV that the page makes of a text."""
    submit(page, text)
    page.wait_for_selector("#results:not([hidden])")
    header, *rows = downloaded(page)
    assert header == ["id", "expression"]
    return rows


def assert_agrees(expression, expected) -> None:
    np.testing.assert_allclose(np.array(expression, dtype=float), expected, atol=1e-4)


def test_predictions_are_those_of_python(page, in_python):
    inserts = [*random_inserts(38), *random_inserts(8, 1, LONGEST), "A", "NN", "ACGRYN" * 5, "ACGU" * 20]
    rows = predicted(page, "".join(f">p{i} promoter\n{insert}\n" for i, insert in enumerate(inserts)))
    assert [id for id, _ in rows] == [f"p{i}" for i in range(50)]
    assert_agrees([expression for _, expression in rows], in_python([i.replace("U", "T") for i in inserts]))


def test_an_oligo_is_its_insert(page):
    (insert,) = random_inserts(1)
    rows = predicted(page, f"{insert}\n{OLIGO_START}{insert}{OLIGO_END}\n{OLIGO_START.lower()}{insert}\n")
    assert len({expression for _, expression in rows}) == 1


def test_bad_records_are_told_and_left_out(page):
    text = ">good\nACGT\n>bad\nACGT\nACXT\n>empty\n>long\n" + "A" * 129 + "\n>better\nTTTT\n"
    assert [id for id, _ in predicted(page, text)] == ["good", "better"]
    assert page.inner_text("#problems h2") == "3 of 5 records cannot be scored and are left out"
    assert page.inner_text("#problems ol").split("\n") == [
        "Line 3 record 'bad': character 'X' at base 7 is not an IUPAC nucleotide code; remove or replace it",
        "Line 6 record 'empty': the sequence is empty; give at least 1 bp of insert",
        "Line 7 record 'long': the insert is 129 bp and the model reads at most 128 bp; score a window of it",
    ]
    page.click("#problems button >> nth=2")
    assert page.evaluate("getSelection().toString()") == ">long"


@pytest.mark.parametrize("text", ["", " \n\t\n", ">only a name\n"])
def test_nothing_to_predict(page, text):
    submit(page, text)
    assert page.is_visible("#problems") and not page.is_visible("#results")
    assert page.inner_text("#activity") == "There is nothing to predict"


def test_a_name_is_text_and_never_markup(page):
    predicted(page, ">a<b>c\nACGT\n")
    assert page.inner_text("#predictions tbody th") == "a<b>c"


def test_ten_thousand_sequences(page, in_python):
    inserts = random_inserts(10_000, 4, 8)  # short ones, so that the test is
    rows = predicted(page, "\n".join(inserts))
    assert [id for id, _ in rows] == [str(i) for i in range(10_000)]
    assert_agrees([expression for _, expression in rows[::100]], in_python(inserts[::100]))

    assert page.locator("#predictions tbody tr").count() == 50
    page.click("text=Next")
    assert page.inner_text("#pages span") == "Page 2 of 200"
    assert page.inner_text("#predictions tbody th >> nth=0") == "50"
    page.click("[data-sort=expression]")
    assert page.get_attribute("th[aria-sort]", "aria-sort") == "descending"
    highest = max(float(expression) for _, expression in rows)
    assert page.inner_text("#predictions tbody tr >> nth=0").split()[2] == f"{highest:.2f}"


def test_single_changes_are_predictions_of_the_mutants(page):
    (insert,) = random_inserts(1)
    ((_, reference),) = predicted(page, f">p\n{insert}\n")
    page.click("#predictions tbody button")
    page.wait_for_selector("#changes:not([hidden])")
    assert page.locator(".heatmap .raises, .heatmap .lowers").count() == 3 * 80
    assert page.locator(".heatmap .same").count() == 80

    header, *changes = downloaded(page, "#download-changes")
    assert header == ["position", "ref", "alt", "expression", "effect"] and len(changes) == 240
    mutants = []
    for position, ref, alt, expression, effect in changes:
        at = int(position) - 1
        assert insert[at] == ref != alt
        assert float(effect) == pytest.approx(float(expression) - float(reference), abs=2e-6)
        mutants.append(insert[:at] + alt + insert[at + 1 :])
    shown = [page.inner_text(f"#{name} li >> nth=0") for name in ("best", "worst")]
    strongest = [extreme(changes, key=lambda change: float(change[4])) for extreme in (max, min)]
    assert [text.split(":")[0] for text in shown] == [f"{ref}{position}{alt}" for position, ref, alt, *_ in strongest]

    assert [expression for _, expression in predicted(page, "\n".join(mutants))] == [row[3] for row in changes]


def test_the_keyboard_is_enough(page):
    page.focus("#sequences")
    page.keyboard.type(">p1\nACGTACGT\n>p2\nTTTTACGT")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#results:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "results-title"
    while page.evaluate("document.activeElement.textContent") != "p2":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#changes:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "changes-title"
    page.keyboard.press("Tab")  # to the download
    page.keyboard.press("Tab")  # to the map, at A1
    assert page.inner_text("#readout").startswith("T1A: ")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#readout").startswith("T8C: ")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")  # comes back to where it was
    assert page.inner_text("#readout").startswith("T8C: ")


def test_a_run_can_be_stopped(page):
    submit(page, "\n".join(random_inserts(5000)))
    page.click("#stop")
    page.locator("#activity", has_text="Stopped").wait_for()
    assert not page.is_visible("#results")
    assert len(predicted(page, "ACGT")) == 1


def test_a_file_is_read(page, tmp_path):
    (tmp_path / "promoters.fa").write_text(">p1\nACGT\n")
    page.set_input_files("#file", tmp_path / "promoters.fa")
    while not page.input_value("#sequences"):  # the page's policy forbids what `wait_for_function` evaluates
        page.wait_for_timeout(20)
    assert page.input_value("#sequences") == ">p1\nACGT\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ACGT\n".encode("utf-16"), "is not UTF-8 text ("),
        ("ACGT\n".encode("utf-16-le"), "is not UTF-8 text (it holds NUL characters)"),
        (gzip.compress(b"ACGT\n"), "is not UTF-8 text ("),
        (b"A" * 20_000_001, "has 20 MB; give at most 20 MB"),
    ],
    ids=["utf-16", "utf-16-le", "gzip", "large"],
)
def test_a_file_that_is_no_text_is_told_and_changes_nothing(page, tmp_path, content, message):
    page.fill("#sequences", "TTTT")
    (tmp_path / "odd").write_bytes(content)
    page.set_input_files("#file", tmp_path / "odd")
    page.locator("#activity", has_text=f"odd {message}").wait_for()
    assert page.input_value("#sequences") == "TTTT"


def test_a_table_is_refused_whole(page):
    submit(page, "id\tsequence\nA\tACGT\n")
    assert page.inner_text("#problems ol") == "Line 1 is the header of a table; paste its sequences alone"
    assert not page.is_visible("#results")


def test_the_page_works_without_isolation_and_on_a_phone(chromium, dist, in_python):
    (insert,) = random_inserts(1)
    phone = dict(viewport={"width": 360, "height": 740}, color_scheme="dark", has_touch=True)
    with served(dist, isolated=False) as site, visited(chromium, site, **phone) as page:
        assert not page.evaluate("crossOriginIsolated")
        ((_, expression),) = predicted(page, insert)
        assert_agrees([expression], in_python([insert]))
        page.click("#predictions tbody button")
        page.tap(".heatmap tbody td >> nth=0")
        assert page.inner_text("#readout").startswith(f"{insert[0]}1A" if insert[0] != "A" else "0:")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate("document.querySelector('#results .scroll').scrollWidth") <= 360


def test_a_model_that_cannot_be_loaded_is_told(chromium, site):
    page = chromium.new_page()
    page.route("**/model_int8.onnx", lambda route: route.fulfill(status=404))
    page.goto(site)
    page.wait_for_selector("text=The model could not be loaded (model/model_int8.onnx: 404")
    page.close()

"""The built page, served, and a visit of it in headless Chromium."""

import shutil

import numpy as np
import pytest
from space_page import choose, visited
from space_site import NO_PACKAGES, PACKAGES, script, served

from dream_bert import DreamBertConfig
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.sequence.encoding import encode


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


@pytest.fixture(scope="module")
def visit(chromium, site):
    """One visit of the page for all tests; no request of it may leave the origin, and nothing may fail in it."""
    with visited(chromium, site) as page:
        yield page


@pytest.fixture
def page(visit):
    """The page with a form as it is at first."""
    visit.locator("#form").evaluate("(form) => form.reset()")
    visit.locator("#orient").evaluate("(box) => (box.checked = false)")
    choose(visit, "predict")
    return visit


@pytest.fixture(scope="module")
def in_python(dist):
    """Expression of inserts by the built model in ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(dist / "model" / "model_int8.onnx", providers=["CPUExecutionProvider"])
    config = DreamBertConfig.from_pretrained(DEFAULT_MODEL)
    # One at a time: no padding, as on the page.
    return lambda inserts: np.array([session.run(None, encode([insert], config))[0].item() for insert in inserts])

"""The Space: what the build gathers, that the page loads nothing from elsewhere, and what the server sends."""

import json
import re
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from space_site import MODEL, PAGE, SPACE, script, served


class _Links(HTMLParser):
    """What a page loads, and what it leads to."""

    def __init__(self, html: str):
        super().__init__()
        self.loads, self.leads_to = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        links = [value for name, value in attributes if name in ("src", "href")]
        (self.leads_to if tag == "a" else self.loads).extend(links)


def test_the_page_loads_nothing_from_another_host():
    links = _Links((PAGE / "index.html").read_text())
    assert links.loads and not [link for link in links.loads if ":" in link or link.startswith("/")]
    assert all(link.startswith("https://doi.org/") for link in links.leads_to)
    for source in [*PAGE.glob("*.js"), *PAGE.glob("*.css")]:
        assert "//" not in re.sub(r"^\s*//.*| // .*", "", source.read_text(), flags=re.MULTILINE), source.name
    policy = re.search(r'content="(default-src [^"]*)"', (PAGE / "index.html").read_text())[1]
    assert "default-src 'self'" in policy and "http" not in policy and "*" not in policy


def test_the_space_is_static_and_isolated():
    front_matter = yaml.safe_load((SPACE / "README.md").read_text().split("---\n")[1])
    assert (front_matter["sdk"], front_matter["app_file"]) == ("static", "index.html")
    assert front_matter["custom_headers"]["cross-origin-opener-policy"] == "same-origin"
    assert front_matter["custom_headers"]["cross-origin-embedder-policy"] == "require-corp"


def test_the_histogram_is_of_native_promoters(shared_data):
    native = script("native")
    histogram = json.loads((PAGE / "native.json").read_text())
    assert sum(histogram["counts"]) == len(native.native_sequences(shared_data / "gpra_train.tsv.gz")) == 58_390
    assert len(histogram["counts"]) * histogram["width"] == histogram["high"] - histogram["low"]


@pytest.fixture(scope="module")
def build():
    pytest.importorskip("onnxruntime")
    return script("build")


def _examples() -> list[str]:
    tasks = re.findall('name="task" value="([a-z]+)"', (PAGE / "index.html").read_text())
    return [f"examples/{task}.fa" for task in tasks]


def _imports(source: Path) -> list[str]:
    return re.findall(r'(?:^import [^;]*?|new URL\()"([^"]+)"', source.read_text(), flags=re.MULTILINE)


def test_a_build_holds_all_that_the_page_names(build, tmp_path):
    packages = tmp_path / "node_modules"
    for name in build.LIBRARIES:
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("library")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old").touch()
    build.build(tmp_path / "dist", packages)

    dist = tmp_path / "dist"
    named = [*_Links((dist / "index.html").read_text()).loads, "README.md", *_examples(), *build.DOWNLOADS]
    named += [name for source in dist.glob("*.js") for name in _imports(source)]
    assert not [name for name in named if not (dist / name).is_file()]
    assert len(_examples()) == 4 and not (dist / "old").exists()
    facts = json.loads((dist / "model.json").read_text())
    assert {name: facts[name] for name in MODEL} == MODEL
    assert facts["bytes"] == {name: (dist / name).stat().st_size for name in build.DOWNLOADS}
    assert {path.name for path in tmp_path.iterdir()} == {"dist", "node_modules"}


def test_a_build_without_libraries_says_what_to_do_and_changes_nothing(build, tmp_path):
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old").touch()
    with pytest.raises(build.BuildError, match=r"ort\.wasm\.min\.mjs: is missing; run `npm --prefix space ci"):
        build.build(tmp_path / "dist", tmp_path / "node_modules")
    assert [path.name for path in tmp_path.rglob("*")] == ["dist", "old"]


def test_the_server_sends_the_headers_of_the_space(tmp_path):
    (tmp_path / "README.md").write_text((SPACE / "README.md").read_text())
    (tmp_path / "worker.mjs").touch()
    with served(tmp_path) as url, urllib.request.urlopen(f"{url}/worker.mjs") as answer:
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["content-type"] == "text/javascript"

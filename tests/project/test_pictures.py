"""The pictures of docs/ are those that their script draws, and can be read: size, contrast, nothing beside its box."""

import importlib.util
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
LEAST_LETTER, LEAST_CONTRAST = 16, 4.5
"""The size of a page's text in px, and what the Web Content Accessibility Guidelines ask of text at level AA."""


def script():
    specification = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


DRAWN = {name: draw() for name, draw in script().PICTURES.items()}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_what_the_script_draws(name):
    assert (DOCS / f"{name}.svg").read_text(encoding="utf-8") == DRAWN[name]


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_can_be_read(name):
    """Text is measured in DejaVu Sans, which is wider than what most browsers take."""
    fonts = pytest.importorskip("matplotlib.font_manager")
    textpath = pytest.importorskip("matplotlib.textpath").TextPath
    tree = ElementTree.fromstring(DRAWN[name])
    assert tree.find(f"{SVG}title").text
    width, height = (float(tree.get(side)) for side in ("width", "height"))
    rectangles = [
        (*(float(shape.get(side, 0)) for side in ("x", "y", "width", "height")), shape.get("fill"))
        for shape in tree.iter(f"{SVG}rect")
    ]
    assert rectangles[0] == (0, 0, width, height, "#ffffff")
    letter = float(tree.get("font-size"))
    assert letter >= LEAST_LETTER and "font-size" not in re.sub("<svg[^>]*>", "", DRAWN[name])
    texts = [*tree.iter(f"{SVG}text")]
    for text in texts:
        x, y = float(text.get("x")), float(text.get("y")) - letter / 3
        family = "DejaVu Sans Mono" if text.get("font-family") else "DejaVu Sans"
        font = fonts.FontProperties(family=family, weight=int(text.get("font-weight", 400)))
        long = textpath((0, 0), text.text, size=letter, prop=font).get_extents().width
        left = x - long / 2 if text.get("text-anchor") == "middle" else x
        around = [box for box in rectangles if box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]]
        box_x, _, box_width, _, ground = min(around, key=lambda box: box[2] * box[3])
        assert box_x + 3 <= left and left + long <= box_x + box_width - 3, text.text
        beside = [
            box for box in rectangles if box not in around and abs(box[1] + box[3] / 2 - y) < (box[3] + letter) / 2
        ]
        assert all(left + long <= box[0] or box[0] + box[2] <= left for box in beside), text.text
        assert contrast(tree.get("fill"), ground) >= LEAST_CONTRAST
    assert texts


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)

"""Draw the pictures of docs/how-it-works.md.

    python docs/pictures.py

Writes `entry.svg`, `tokenizer.svg`, `fast_path.svg` and `recipe.svg` beside this file. They are as wide as the text of
a page and have its size of letters, on a white ground of their own, so that they read on a dark page too.
"""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
OPERATIONS = HERE.parent / "benchmarks" / "results" / "prediction.json"

WIDTH = 720
LETTER = 16
LINE = 22
INK, QUIET, PAPER = "#1c2429", "#4d5a61", "#ffffff"
BLUE, ORANGE, GREEN, GREY = (
    ("#cce3f0", "#0072b2"),
    ("#fae0cc", "#d55e00"),
    ("#ccece3", "#009e73"),
    ("#eceeee", "#6b7a82"),
)
"""Ground and edge, after the colours of Okabe and Ito for colour-blind people: https://jfly.uni-koeln.de/color/."""


def picture(height: int, title: str, *parts: str) -> str:
    """Join parts of a picture, with its description for screen readers."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" role="img" font-family="Helvetica, Arial, sans-serif" '
            f'font-size="{LETTER}" fill="{INK}">',
            f"<title>{escape(title)}</title>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto">'
            f'<path d="M0 0 10 5 0 10z" fill="{QUIET}"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def write(x: float, y: float, text: str, anchor: str = "start", bold: bool = False, fixed: bool = False) -> str:
    """Write a line of text; `y` is its middle."""
    style = ' font-weight="700"' * bold + ' font-family="monospace"' * fixed
    return f'<text x="{x:g}" y="{y + 5.5:g}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def box(x: float, y: float, width: float, height: float, colours: tuple[str, str], *lines: str, **style: bool) -> str:
    """Draw a box with lines of text in its middle."""
    ground, edge = colours
    shape = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" fill="{ground}" stroke="{edge}"/>'
    top = y + height / 2 - LINE * (len(lines) - 1) / 2
    return shape + "".join(
        write(x + width / 2, top + LINE * i, line, "middle", **style) for i, line in enumerate(lines)
    )


def arrow(*points: tuple[float, float]) -> str:
    """Draw a line through points, with a tip at its end."""
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{QUIET}" stroke-width="1.5" marker-end="url(#tip)"/>'


def entry() -> str:
    """Draw how the entry turns a promoter into a number, and what it learned from."""
    places = [80 + 142 * i for i in range(3)]
    return picture(
        430,
        "The entry: a promoter in its plasmid is read as 3-mers in three reading frames by one BERT",
        box(20, 20, 140, 40, GREY, "plasmid, 150 bp"),
        box(160, 20, 125, 40, ORANGE, "insert, 80 bp"),
        box(285, 20, 140, 40, GREY, "plasmid, 150 bp"),
        write(440, 40, "the promoter of a reporter gene"),
        *(arrow((222, 60), (x, 103)) for x in places),
        *(
            box(x - 60, 105, 120, 58, BLUE, f"frame {frame}", f"{tokens} tokens")
            for frame, (x, tokens) in enumerate(zip(places, (129, 129, 130), strict=True))
        ),
        write(440, 134, "3-mers from base 1, 2 or 3"),
        *(arrow((x, 163), (x, 203)) for x in places),
        box(20, 205, 405, 58, BLUE, "BERT: 3 layers, 512 wide, 8 heads", "(one for all frames)"),
        write(440, 223, "1. learned masked 3-mers of"),
        write(458, 245, "1.7 million strong promoters"),
        *(arrow((x, 263), (x, 303)) for x in places),
        box(20, 305, 405, 58, BLUE, "pooler and linear layer", "on the row of [CLS]"),
        write(440, 323, "2. learned the expression of"),
        write(458, 345, "6.5 million promoters"),
        *(arrow((x, 363), (x + (222 - x) / 3, 382)) for x in places),
        box(67, 384, 310, 36, ORANGE, "mean of three: expression, 0 to 17"),
    )


def kmers(text: str, first: int = 0, step: int = 3) -> list[tuple[int, str]]:
    """Return the whole 3-mers of a text with their places."""
    return [(i, text[i : i + 3]) for i in range(first, len(text) - 2, step)]


def tokenizer() -> str:
    """Draw the tokens of a piece of an insert, with stride 3 in three frames and with stride 1."""
    insert, left, cell = "TCTGGAATCGAA", 195, 40

    def row(y: float, tokens: Sequence[tuple[int, str]], colours: tuple[str, str]) -> list[str]:
        return [box(left + cell * i + 2, y, 3 * cell - 4, 28, colours, kmer, fixed=True) for i, kmer in tokens]

    frames = []
    for frame in range(3):
        y = 105 + 36 * frame
        tokens = [(i - frame, kmer) for i, kmer in kmers("N" * frame + insert)]
        frames += [write(20, y + 14, f"frame {frame}"), *row(y, tokens, BLUE)]
    overlapping = [part for i in range(3) for part in row(275 + 32 * i, kmers(insert, i), GREEN)]
    letters = [box(left + cell * i + 2, 20, cell - 4, 28, GREY, base, fixed=True) for i, base in enumerate(insert)]
    return picture(
        425,
        "The tokenizer: adjacent 3-mers in three reading frames, or overlapping 3-mers",
        write(20, 34, "bases"),
        *letters,
        write(690, 34, "…", "middle"),
        write(20, 82, "Stride 3, the entry: adjacent 3-mers, 27 or 28 for 80 bp", bold=True),
        *frames,
        write(20, 252, "Stride 1, the shipped models: overlapping 3-mers, 78 for 80 bp", bold=True),
        *overlapping,
        write(20, 391, "A token is one of 125 3-mers over A, C, G, T and N, or one of 5 special tokens."),
    )


def layers(x: float, y: float, tokens: int, looked_up: bool) -> list[str]:
    """Draw three layers: for each token its query, key and value, and the rest of the layer."""
    parts = []
    for layer in range(3):
        for part, width in enumerate((36, 52)):
            for token in range(tokens):
                colours = BLUE
                if looked_up and layer == 0 and part == 0:
                    colours = GREEN
                if looked_up and layer == 2 and token > 0:
                    colours = (PAPER, GREY[1])
                parts.append(box(x + 104 * layer + 40 * part, y + 20 * token, width, 16, colours))
    return parts


def fast_path() -> str:
    """Draw which parts of a BERT are computed, and how many operations that takes."""
    counts = next(iter(json.loads(OPERATIONS.read_text()).values()))["operations"]
    steps = {
        "stock": "stock BERT",
        "one_row": "last layer for [CLS] alone",
        "absorbed": "no keys and values there",
        "tables": "first layer looked up",
    }
    bars = []
    for i, (name, label) in enumerate(steps.items()):
        y, width = 340 + 38 * i, 330 * counts[name] / counts["stock"]
        bars += [
            write(20, y + 13, label),
            box(255, y, width, 26, GREEN if name == "tables" else BLUE),
            write(265 + width, y + 13, f"{counts[name] / 1e6:.0f} million"),
        ]
    heads = [write(x + 44 + 104 * layer, 57, f"layer {layer + 1}", "middle") for x in (75, 410) for layer in range(3)]
    return picture(
        505,
        "The fast path: the first layer's projections are looked up, and the last layer computes the [CLS] row alone",
        write(223, 27, "stock BERT", "middle", bold=True),
        write(558, 27, "this package", "middle", bold=True),
        *heads,
        *layers(75, 75, 7, looked_up=False),
        *layers(410, 75, 7, looked_up=True),
        write(20, 83, "[CLS]"),
        write(20, 153, "bases"),
        box(75, 232, 24, 16, BLUE),
        write(107, 240, "computed"),
        box(215, 232, 24, 16, GREEN),
        write(247, 240, "looked up"),
        box(355, 232, 24, 16, (PAPER, GREY[1])),
        write(387, 240, "not needed"),
        write(75, 270, "Of each layer: query, key and value on the left, the rest on the right."),
        write(20, 315, "Operations for a prediction of 80 tokens", bold=True),
        *bars,
    )


def recipe() -> str:
    """Draw the trainings that lead to the shipped models."""
    return picture(
        500,
        "The recipe: convolutions learn from measurements, a BERT from the convolutions, then from measurements",
        box(20, 20, 300, 58, ORANGE, "61,060 measured promoters", "(native tiles and random ones)"),
        arrow((200, 78), (200, 118)),
        arrow((320, 49), (550, 49), (550, 118)),
        arrow((40, 78), (40, 381), (58, 381)),
        box(60, 120, 280, 80, BLUE, "1. Convolutions learn their", "expression: 30 minutes.", "dream-promoter-conv"),
        box(400, 120, 300, 80, GREEN, "2. A BERT learns masked 3-mers:", "30 minutes.", "dream-promoter-bert-mlm"),
        arrow((200, 200), (200, 250)),
        write(212, 225, "label 704,512 generated promoters"),
        arrow((550, 200), (550, 250)),
        write(562, 225, "starts"),
        box(
            *(60, 252, 640, 58, GREEN),
            "3. The BERT learns these labels, and the features of the convolutions",
            "at each position: 50 minutes.",
        ),
        arrow((380, 310), (380, 350)),
        box(
            *(60, 352, 640, 58, GREEN),
            "4. Five fine-tunings on the measurements: 35 minutes.",
            "(In three, half of the promoters are generated and labelled by the BERT.)",
        ),
        arrow((380, 410), (380, 440)),
        box(200, 442, 360, 38, GREEN, "mean of the five: dream-promoter-bert"),
    )


PICTURES = {"entry": entry, "tokenizer": tokenizer, "fast_path": fast_path, "recipe": recipe}

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (HERE / f"{name}.svg").write_text(draw(), encoding="utf-8")

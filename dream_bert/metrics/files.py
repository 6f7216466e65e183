"""Score a file of predictions against a file of labels."""

import gzip
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import ScoreFileError
from ..io.records import parse_number
from ..io.streams import DAMAGE, damaged, naming, peek, shown
from .dream_score import WEIGHTS, score

LARGEST_FILE = 1 << 26
"""Bytes of an unpacked file: millions of rows, where the challenge's test set has 71,103."""

_ROW = re.compile(r"[0-9]{1,18}")


def score_files(predictions: str | Path, labels: str | Path, subsets: str | Path | None = None) -> dict:
    """Return the DREAM score of a file of predictions, on the rows that have a label.

    Args:
        predictions: a TSV with the columns `id`, the official row number, and `expression`; or the challenge's
            submission, JSON `{"0": 3.2, ...}`. Predictions for rows without a label are ignored.
        labels: a TSV with columns `row` and `expression`; other columns are ignored.
        subsets: JSON, subset name -> row numbers or [alt, ref] pairs. Default: only `all` is scored.

    Each of the three may be gzipped; unpacked it has at most 64 MiB.

    Returns:
        What `dream_bert.metrics.dream_score.score` returns.

    Raises:
        ScoreFileError: if a file has another form or is too large, a row is repeated, a value is not a finite number,
            or a labelled row has no prediction.
        ReadError: if a gzipped file is damaged.
        ValueError: if the score is not defined (see `score`).
        OSError: if a file cannot be read.
    """
    text = _read_text(predictions)
    if text.lstrip().startswith("{"):
        predicted = _unique(
            (f"{predictions}: key {key!r:.80}", key, value) for key, value in _object(predictions, text)
        )
    else:
        predicted = _unique(_table(predictions, text, "id"))
    measured = _unique(_table(labels, _read_text(labels), "row"))
    missing = [row for row in measured if row not in predicted]
    if missing:
        raise ScoreFileError(
            f"{predictions}: {len(missing)} of {len(measured)} labelled rows have no prediction, the first is row "
            f"{missing[0]}; predict every row of {labels}"
        )
    members = None if subsets is None else _read_subsets(subsets)
    return score([predicted[row] for row in measured], list(measured.values()), list(measured), members)


def format_scores(result: dict) -> str:
    """Return a table to read: one line for each subset, then the scores.

    >>> print(format_scores({"subsets": {"all": {"pearson": 0.5, "r2": 0.25, "spearman": -0.4, "n": 9045}}}))
    subset                  r      r2  spearman      n  weight
    all                0.5000  0.2500   -0.4000   9045    1.00
    """
    lines = [f"{'subset':<18}{'r':>7}{'r2':>8}{'spearman':>10}{'n':>7}{'weight':>8}"]
    for name, row in result["subsets"].items():
        lines.append(
            f"{name:<18}{row['pearson']:>7.4f}{row['r2']:>8.4f}{row['spearman']:>10.4f}{row['n']:>7}"
            f"{WEIGHTS[name]:>8.2f}"
        )
    if "pearson_score" in result:
        lines += ["", f"Pearson score   {result['pearson_score']:.4f}   weighted mean of r2"]
        lines += [f"Spearman score  {result['spearman_score']:.4f}   weighted mean of spearman"]
    return "\n".join(lines)


def _read_text(path: str | Path) -> str:
    with naming(str(path)), open(path, "rb") as file:
        head, stream = peek(file, str(path))
        try:
            data = (gzip.GzipFile(fileobj=stream) if head[:2] == b"\x1f\x8b" else stream).read(LARGEST_FILE + 1)
        except DAMAGE as error:
            raise damaged(str(path), error) from error
    if len(data) > LARGEST_FILE:
        raise ScoreFileError(f"{path}: has over {LARGEST_FILE >> 20} MiB; give only the rows that have a label")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScoreFileError(f"{path}:{line}: is not UTF-8 text; give TSV or JSON") from error


def _table(path: str | Path, text: str, key: str) -> Iterator[tuple[str, str, float | str]]:
    """Yield place, key and expression of each row of a TSV."""
    # (StringIO would take four bytes for each character.)
    lines = (line.rstrip("\n").split("\t") for line in io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"))
    header = next(lines, [])
    for column in (key, "expression"):
        if header.count(column) != 1:
            found = shown(", ".join(header)) or "nothing"
            raise ScoreFileError(f"{path}:1: needs one column {column!r} in a tab-separated header; found {found}")
    for number, cells in enumerate(lines, 2):
        if cells == [""]:
            continue
        place = f"{path}:{number}"
        if len(cells) != len(header):
            raise ScoreFileError(f"{place}: has {len(cells)} columns, the header {len(header)}; correct the line")
        yield place, cells[header.index(key)], _parse(cells[header.index("expression")])


def _unique(entries: Iterator[tuple[str, str, object]]) -> dict[int, float]:
    """Check (place, key, value), and return row number -> expression."""
    values = {}
    for place, key, value in entries:
        if not _ROW.fullmatch(key):
            raise ScoreFileError(f"{place}: {key!r:.80} is not a row number; give official row numbers from 0")
        if (row := int(key)) in values:
            raise ScoreFileError(f"{place}: row {row} is repeated; give each row once")
        values[row] = _finite(place, value)
    return values


def _parse(cell: str) -> float | str:
    """Return the number in a cell, or the cell itself if it is not a number."""
    try:
        return parse_number(cell)
    except ValueError:
        return cell


def _finite(place: str, value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) <= sys.float_info.max:
        raise ScoreFileError(f"{place}: {repr(value):.80} is not a finite number; correct the value")
    return float(value)


def _object(path: str | Path, text: str) -> list[tuple[str, object]]:
    """Return names and values of a JSON object, repeated names included."""
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except ValueError as error:
        raise ScoreFileError(f"{path}: is not JSON ({error}); correct the file") from error
    except RecursionError as error:
        raise ScoreFileError(f"{path}: is JSON nested too deeply; give {{name: value, ...}}") from error
    if not text.lstrip().startswith("{"):
        raise ScoreFileError(f"{path}: is JSON but no object; give {{name: value, ...}}")
    return pairs


def _read_subsets(path: str | Path) -> dict[str, object]:
    subsets = {}
    for name, members in _object(path, _read_text(path)):
        if name in subsets:
            raise ScoreFileError(f"{path}: subset {name!r:.80} is repeated; give each subset once")
        subsets[name] = members
    return subsets

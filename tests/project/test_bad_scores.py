"""Bad files of predictions, labels and subsets, and numbers near the ends of floats, in `score`."""

import gzip

import pytest
from bad_files import DAMAGED
from refusals import LABELS, PREDICTIONS, assert_refused, write

from dream_bert.cli.main import main
from dream_bert.metrics.files import score_files

DEEP = "[" * 100_000
SCORED = {
    "labels are empty": (PREDICTIONS, "", "", "labels:1: needs one column 'row' "),
    "labels are a header alone": (PREDICTIONS, "row\texpression\n", "", "subset 'all' has 0 of its 0 members "),
    "one row alone": (PREDICTIONS, "row\texpression\n0\t1\n", "", "subset 'all' has 1 of its 1 members "),
    "UTF-16": (PREDICTIONS.encode("utf-16"), LABELS, "", "predictions:1: is not UTF-8 text; "),
    "Latin-1 in line 3": (PREDICTIONS, LABELS.encode() + b"2\t\xe9\n", "", "labels:4: is not UTF-8 text; "),
    "NUL": (PREDICTIONS, LABELS + "\0\t1\n", "", r"labels:4: '\x00' is not a row number; "),
    "gzip cut short": (gzip.compress(PREDICTIONS.encode())[:-9], LABELS, "", f"predictions{DAMAGED}"),
    "a label as text": (PREDICTIONS, LABELS + "2\tlow\n", "", "labels:4: 'low' is not a finite number; "),
    "Python's numbers": (PREDICTIONS + "2\t1_0\n", LABELS, "", "predictions:4: '1_0' is not a finite number; "),
    "an infinite prediction": (PREDICTIONS + "2\tinf\n", LABELS, "", "predictions:4: inf is not a finite number; "),
    "a row twice": (PREDICTIONS + "1\t1\n", LABELS, "", "predictions:4: row 1 is repeated; "),
    "a column too few": (PREDICTIONS, LABELS + "2\n", "", "labels:4: has 1 columns, the header 2; "),
    "control characters": ("a\x0bb\x1b\n", LABELS, "", r"predictions:1: needs one column 'id' in a tab-separated "),
    "JSON cut short": ('{"0": 1, "1"', LABELS, "", "predictions: is not JSON ("),
    "JSON nested without end": ('{"0":' + DEEP, LABELS, "", "predictions: is JSON nested too deeply; "),
    "subsets nested without end": (PREDICTIONS, LABELS, '{"high":' + DEEP, "subsets: is JSON nested too deeply; "),
    "subsets are a list": (PREDICTIONS, LABELS, "[1]", "subsets: is JSON but no object; "),
    "an unknown subset": (PREDICTIONS, LABELS, '{"hi\\nlo": [0, 1]}', r"subset 'hi\nlo' is unknown; "),
    "pairs of text": (PREDICTIONS, LABELS, '{"SNVs": [["0", "1"]]}', "subset 'SNVs' is not a list of [alt, ref] "),
    "a row beyond integers": (PREDICTIONS, LABELS, '{"high": [1e400, 1]}', "subset 'high' is not a list of row "),
}


@pytest.mark.parametrize(("predictions", "labels", "subsets", "message"), SCORED.values(), ids=SCORED)
def test_score(working_folder, predictions, labels, subsets, message, capsys):
    for name in ("predictions", "labels", "subsets"):
        write(locals()[name], name)
    argv = ["score", "predictions", "--labels", "labels", *(["--subsets", "subsets"] if subsets else [])]
    assert_refused(argv, message, capsys)


@pytest.mark.parametrize("scale", [1e308, 1e-320])
def test_numbers_near_the_ends_of_floats_are_scored(working_folder, scale):
    rows = [0, 1, 2, 3]
    values = [0.4 * scale, -1.1 * scale, 1.6 * scale, 0.9 * scale]
    write("id\texpression\n" + "".join(f"{row}\t{value!r}\n" for row, value in zip(rows, values, strict=True)), "p")
    write("row\texpression\n0\t4\n1\t-11\n2\t16\n3\t9\n", "l")
    write('{"SNVs": [[0, 1], [2, 3], [2, 1]]}', "s")
    assert main(["score", "p", "--labels", "l", "--subsets", "s"]) == 0
    for subset in score_files("p", "l", "s")["subsets"].values():
        assert subset["pearson"] == pytest.approx(1, abs=1e-3) and subset["spearman"] == pytest.approx(1)

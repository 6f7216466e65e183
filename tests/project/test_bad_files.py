"""Bad files of promoters, at every entry: the right answer, or one line that says where and what."""

import io
import re
import sys
from pathlib import Path

import pytest
from bad_files import CASES
from closeness import assert_close
from refusals import assert_one_line, assert_refused, write
from space_site import run_in_node

from dream_bert import PromoterDataset, predict, read_records
from dream_bert.cli.main import main
from dream_bert.sequence.construct import check_insert

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@each_case
def test_reading(working_folder, case):
    write(case.content)
    try:
        inserts = {id: check_insert(sequence, id, where, 128) for id, sequence, _, where, _ in read_records("input")}
    except ValueError as error:
        assert isinstance(case.unlabelled, str), error
        assert_one_line(str(error), f"input{case.unlabelled}")
    else:
        assert inserts == case.unlabelled


@each_case
def test_predict(working_folder, case, model, capsys, monkeypatch):
    write(case.content)
    argv = ["predict", "input", "--model", model, "-o", "out.tsv"]
    if isinstance(case.unlabelled, str):
        assert_refused(argv, f"input{case.unlabelled}", capsys)
        content = Path("input").read_bytes()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert_refused(["predict", "-", *argv[2:]], f"stdin{case.unlabelled}", capsys)
        return
    assert main(argv) == 0
    header, *rows = [line.split("\t") for line in Path("out.tsv").read_text().splitlines()]
    assert [id for id, _ in rows] == [record.id for record in read_records("input")]
    expected = dict(zip(case.unlabelled, predict(case.unlabelled.values(), model), strict=True))
    assert_close(float(rows[-1][1]), expected[rows[-1][0]], decimals=4)


@each_case
def test_prepare(working_folder, case, capsys):
    write(case.content)
    expected = case.unlabelled if case.labelled is None else case.labelled
    argv = ["prepare", "input", "-o", "data", "--stage", "mlm", "--top-fraction", "1", "--mlm-validation", "0"]
    if isinstance(expected, str):
        assert_refused(argv, f"input{expected}", capsys)
        return
    inserts = list(expected.values()) if isinstance(expected, dict) else expected
    assert main(argv) == 0
    dataset = PromoterDataset("data", "mlm", "train")
    expected = [re.sub("[^ACGT]", "N", insert) for insert in inserts]
    assert [dataset[row][0] for row in range(len(dataset))] == expected


def as_pasted(content: bytes | str) -> str | None:
    """What a browser makes of it; None if it is no text, which the page refuses."""
    try:
        text = content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def test_page():
    cases = {name: case for name, case in CASES.items() if as_pasted(case.content) is not None}
    assert len(cases) > 40
    source = """
        import { readPromoters } from "./reading.js";
        output = input.map((text) => readPromoters(text, { longest: 128, insert_lengths: [80, 80] }));"""
    answers = run_in_node(source, [as_pasted(case.content) for case in cases.values()])
    for (name, case), answer in zip(cases.items(), answers, strict=True):
        promoters, problems = answer["promoters"], answer["problems"]
        if isinstance(case.unlabelled, dict):
            assert {row["id"]: row["insert"] for row in promoters} == case.unlabelled, name
            assert problems == [], name
        elif "record '" in case.unlabelled:
            _, line, message = case.unlabelled.split(":", 2)
            assert problems[0]["line"] == int(line), name
            told = problems[0]["message"].replace("\x1b", r"\x1b")  # which a browser shows as nothing
            assert told.startswith(message.strip()), name
        else:  # where a row is at fault, the page goes on with the others
            assert problems or promoters == [], name

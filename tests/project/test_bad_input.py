"""Bad input, at every entry: the right answer, or one line that says where and what; nothing half done."""

import errno
import gzip
import io
import os
import re
import signal
import subprocess
import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from space_site import run_in_node

from dream_bert import KmerTokenizer, PromoterDataset, SequenceError, predict, read_records
from dream_bert.cli.main import main
from dream_bert.data.bulk_reader import scan_blocks
from dream_bert.hub.handler import EndpointHandler
from dream_bert.io.records import LONGEST_RECORD
from dream_bert.metrics.files import LARGEST_FILE, score_files
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, check_insert

COMMAND = [sys.executable, "-m", "dream_bert.cli.main"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "ARROW_DEFAULT_MEMORY_POOL": "system"}


def parquet(**columns) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


ROWS = b"ACGT\t1\nTTTT\t2\n"
ZIPPED = gzip.compress(ROWS)
PARQUET = parquet(sequence=["ACGT", "TTTT"], expression=[1.0, 2.0])
BOTH = {"0": "ACGT", "1": "TTTT"}
NOT_TEXT = ": is not UTF-8 text; give "
NO_LABEL = ":1: the label is missing; give "
DAMAGED = ": the gzip data are damaged or cut off "


class Case(NamedTuple):
    """A file, and what comes of it where labels are not wanted and where they are: inserts by id, or the message
    that follows the file's name. `labelled` has the inserts alone; None: the same as `unlabelled`."""

    content: bytes | str
    unlabelled: dict[str, str] | str
    labelled: list[str] | str | None = None


CASES = {
    "an empty file": Case("", ": has no record; give "),
    "blank lines": Case("\n \r\n\t\n", ": has no record; give "),
    "a BOM alone": Case(b"\xef\xbb\xbf", ": has no record; give "),
    "a table's header alone": Case("sequence\texpression\n", ": has no record; give "),
    "an empty Parquet file": Case(
        parquet(sequence=pa.array([], pa.string()), expression=pa.array([], pa.float32())), ": has no record; give "
    ),
    "an empty gzip file": Case(gzip.compress(b""), ": has no record; give "),
    "one line, unended": Case("ACGT\t1", {"0": "ACGT"}),
    "one base": Case("A\t1\n", {"0": "A"}),
    "only N": Case("NNNN\t1\n", {"0": "NNNN"}),
    "Windows' line ends": Case(ROWS.replace(b"\n", b"\r\n"), BOTH),
    "old Macs' line ends": Case(ROWS.replace(b"\n", b"\r"), BOTH),
    "mixed line ends": Case("ACGT\t1\r\n\rTTTT\t2", BOTH),
    "a BOM": Case(b"\xef\xbb\xbf" + ROWS, BOTH),
    "a BOM before FASTA": Case("\ufeff>a|1\nACGT\n", {"a|1": "ACGT"}),
    "UTF-16": Case(ROWS.decode().encode("utf-16"), ": is UTF-16 text, "),
    "UTF-16 without a BOM": Case(ROWS.decode().encode("utf-16-be"), ": is UTF-16 text, "),
    "Latin-1": Case(ROWS + "ACGT\t3\té\n".encode("latin-1"), ":3" + NOT_TEXT),
    "a NUL byte": Case(ROWS + b"AC\0GT\t3\n", ":3" + NOT_TEXT),
    "an image": Case(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ": is an image, "),
    "a spreadsheet": Case(b"PK\x03\x04\x14\0\x06\0", ": is a zip archive, "),
    "gzip twice": Case(gzip.compress(ZIPPED), ": is gzipped twice; "),
    "gzip cut short": Case(ZIPPED[:-4], ":3" + DAMAGED),
    "gzip cut at its head": Case(ZIPPED[:5], DAMAGED),
    "gzip with a wrong checksum": Case(ZIPPED[:-8] + b"\0\0\0\0" + ZIPPED[-4:], ":3" + DAMAGED),
    "gzip, and more that is none": Case(ZIPPED + b"more", ":3" + DAMAGED),
    "Parquet cut short": Case(PARQUET[:-9], ": the Parquet file cannot be read ("),
    "Parquet with numbers for sequences": Case(
        parquet(sequence=[1], expression=[1.0]), ": the column 'sequence' holds"
    ),
    "Parquet with dates for ids": Case(
        parquet(sequence=["A"], id=[date.max], expression=[1.0]), ": the column 'id' holds date32"
    ),
    "Parquet with a text label": Case(
        parquet(sequence=["ACGT"], expression=["high"]), {"0": "ACGT"}, ":row 1: the label 'high' is no number; "
    ),
    "a tab first": Case(
        "\tACGT\n", ":1: record '0': the sequence is empty; give ", ":1: the label 'ACGT' is no number; "
    ),
    "a column too many, no header": Case("ACGT\t1\tx\n", {"0": "ACGT"}, r":1: the label '1\tx' is no number; "),
    "a column too few": Case("sequence\texpression\nACGT\n", ":2: the row has 1 columns and the header 2; "),
    "a column too many": Case("sequence,expression\nACGT,1\nA,1,5\n", ":3: the row has 3 columns and the header 2; "),
    "no column of sequences": Case("id\texpression\na\t1\n", ":1: has no column 'sequence' but id, expression; "),
    "sequences under another name": Case(
        "dna\nACGT\n", {"0": "ACGT"}, ":1: has no column 'expression' or 'activity' "
    ),
    "two columns of sequences": Case("sequence,sequence\nA,C\n", ":1: has 2 columns 'sequence'; keep one"),
    "an open quote": Case('sequence,expression\n"ACGT,1\n', ":2: the table cannot be read ("),
    "a quote without end": Case(f'sequence,expression\n"{"A" * 200_000}', ":2: the table cannot be read ("),
    "no label": Case("ACGT\n", {"0": "ACGT"}, NO_LABEL),
    "a label of spaces": Case("ACGT\t  \n", {"0": "ACGT"}, NO_LABEL),
    "a label NaN": Case("ACGT\tNaN\n", {"0": "ACGT"}, ":1: the label 'NaN' is not finite; "),
    "an infinite label": Case("ACGT\t-inf\n", {"0": "ACGT"}, ":1: the label '-inf' is not finite; "),
    "a label beyond float32": Case("ACGT\t1e39\n", {"0": "ACGT"}, ":1: the label '1e39' is not finite; "),
    "a label in words": Case("ACGT\thigh\n", {"0": "ACGT"}, ":1: the label 'high' is no number; "),
    "a decimal comma": Case("ACGT\t1,5\n", {"0": "ACGT"}, ":1: the label '1,5' is no number; "),
    "a label of a million digits": Case("ACGT\t" + "1" * 10**6, {"0": "ACGT"}, ":1: the label '1111"),
    "an id twice": Case("id,sequence,expression\na,ACGT,1\na,TTTT,2\n", {"a": "TTTT"}, ["ACGT", "TTTT"]),
    "FASTA without headers": Case("ACGT\nTTTT\n", BOTH, NO_LABEL),
    "FASTA with a tab": Case(">a|1\nAC\tGT\n", {"a|1": "ACGT"}),
    "a header without sequence": Case(
        ">a|1\n>b|2\nACGT\n", ":1: record 'a|1': the sequence is empty; ", ":1: record 'a': the sequence is empty; "
    ),
    "a sequence before the header": Case(
        "ACGT\t1\n>a\nACGT\n", ":2: record '1': character '>' at base 1 is not an IUPAC ", ":2: the label is missing; "
    ),
    "a name of a million letters": Case(f">{'a' * 10**6}|1\n\n", ":1: the id has more than 4096 characters; "),
    "a name that colours the terminal": Case(
        ">\x1b[31m|1\n\n", r":1: record '\x1b[31m|1': the", r":1: record '\x1b[31m'"
    ),
    "protein": Case("MKTAYIAKQR\t1\n", ":1: record '0': character 'I' at base 6 is not an IUPAC nucleotide code; "),
    "RNA": Case("acguRYu\t1\n", {"0": "ACGTRYT"}),
    "a gap": Case("AC-GT\t1\n", ":1: record '0': character '-' at base 3 is not an IUPAC nucleotide code; "),
    "a look-alike letter": Case("АCGT\t1\n", ":1: record '0': character 'А' at base 1 is not an IUPAC "),
    "an oligo without insert": Case(
        f"{OLIGO_START}{OLIGO_END}\t1\n", ":1: record '0': nothing is left between the oligo's constants; "
    ),
    "1 Mb": Case("ACGT" * 250_000 + "\t1", ":1: record '0': the insert is 1000000 bp and the model reads at most "),
    "1 Mb of FASTA": Case(
        ">a|1\n" + ("ACGT" * 20 + "\n") * 12_500,
        ":1: record 'a|1': the insert is 1000000 bp and the model reads at most 128 bp; ",
        ":1: record 'a': the insert is 1000000 bp and the model reads at most 4096 bp; ",
    ),
    "a line too long": Case(
        "A" * LONGEST_RECORD + "\t1\n", f":1: the line has more than {LONGEST_RECORD} characters; "
    ),
    "a sequence too long": Case(
        ">a|1\n" + ("A" * 2**20 + "\n") * 5, f":1: the sequence has more than {LONGEST_RECORD} characters; "
    ),
}


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tiny_model(stride=1, context=0, max_position_embeddings=128).save_pretrained(folder)
    KmerTokenizer.build(1, 0, 128).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def handler(model):
    return EndpointHandler(model)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_one_line(message: str, begins: str) -> None:
    assert message.startswith(begins), message
    assert message.isprintable() and len(message) < 400, message


def assert_refused(argv: list[str], message: str, capsys) -> None:
    """Exit status 2 and one line; nothing on standard output, and no file more than before."""
    before = sorted(os.listdir())
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert (out, err[-1]) == ("", "\n")
    assert_one_line(err[:-1], f"dream-bert: {message}")
    assert sorted(os.listdir()) == before


def write(content: bytes | str, name: str = "input") -> None:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)


each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@each_case
def test_reading(folder, case):
    write(case.content)
    try:
        inserts = {id: check_insert(sequence, id, where, 128) for id, sequence, _, where, _ in read_records("input")}
    except ValueError as error:
        assert isinstance(case.unlabelled, str), error
        assert_one_line(str(error), f"input{case.unlabelled}")
    else:
        assert inserts == case.unlabelled


@each_case
def test_predict(folder, case, model, capsys, monkeypatch):
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
def test_prepare(folder, case, capsys):
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


# --- scores -----------------------------------------------------------------------------------------------------

PREDICTIONS, LABELS = "id\texpression\n0\t1\n1\t2\n", "row\texpression\n0\t1\n1\t3\n"
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
def test_score(folder, predictions, labels, subsets, message, capsys):
    for name in ("predictions", "labels", "subsets"):
        write(locals()[name], name)
    argv = ["score", "predictions", "--labels", "labels", *(["--subsets", "subsets"] if subsets else [])]
    assert_refused(argv, message, capsys)


@pytest.mark.parametrize("scale", [1e308, 1e-320])
def test_numbers_near_the_ends_of_floats_are_scored(folder, scale):
    rows = [0, 1, 2, 3]
    values = [0.4 * scale, -1.1 * scale, 1.6 * scale, 0.9 * scale]
    write("id\texpression\n" + "".join(f"{row}\t{value!r}\n" for row, value in zip(rows, values, strict=True)), "p")
    write("row\texpression\n0\t4\n1\t-11\n2\t16\n3\t9\n", "l")
    write('{"SNVs": [[0, 1], [2, 3], [2, 1]]}', "s")
    assert main(["score", "p", "--labels", "l", "--subsets", "s"]) == 0
    for subset in score_files("p", "l", "s")["subsets"].values():
        assert subset["pearson"] == pytest.approx(1, abs=1e-3) and subset["spearman"] == pytest.approx(1)


# --- anything at all -------------------------------------------------------------------------------------------

PIECES = ["\n", "\r", "\t", ",", '"', ">", "|", " ", "\0", "\ufeff", "é", "\u2028", "ACGT", "acgu", "X", "1", "nan"]
PIECES += ["sequence", "expression", "id", "row", "name", "{", "[", ":", '"0": 1', "SNVs", "sequence\texpression\n"]
WHOLE = [ROWS, ZIPPED, ZIPPED[:-4], PARQUET, PARQUET[:-9], b"\xff\xfe", b"PAR1"]
CONTENTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=20).map(lambda pieces: "".join(pieces).encode()),
    st.tuples(st.sampled_from(WHOLE), st.binary(max_size=20), st.integers(0, 400)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    ),
    st.binary(max_size=40),
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("anything")


@given(content=CONTENTS, zipped=st.booleans())
def test_anything_is_read_or_refused_in_one_line(scratch, content, zipped):
    file, labels = scratch / "file", scratch / "labels"
    file.write_bytes(gzip.compress(content) if zipped else content)
    labels.write_text(LABELS)
    for read in (
        lambda: list(read_records(file)),
        lambda: list(read_records(file, labelled=True)),
        lambda: list(scan_blocks(file)),
        lambda: score_files(file, labels),
        lambda: score_files(labels, file),
        lambda: score_files(labels, labels, file),
    ):
        try:
            read()
        except ValueError as error:
            assert_one_line(str(error), "")


# --- the library, the handler ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", [None, 5, float("nan"), b"ACGT", ["ACGT"]])
def test_what_is_no_string_is_no_sequence(sequence, model):
    with pytest.raises(SequenceError, match="record '1': .* is no text; give a string"):
        predict(["ACGT", sequence], model)


REQUESTS = {
    "no object": (None, "the request is no object; "),
    "a list for a request": ([{"inputs": "ACGT"}], "the request is no object; "),
    "no inputs": ({}, "inputs is not a string or a list of strings; "),
    "NaN among sequences": ({"inputs": ["ACGT", float("nan")]}, "inputs is not a string or a list of strings; "),
    "1 Mb": ({"inputs": "A" * 10**6}, "record '0': the insert is 1000000 bp, more than the model's 128 positions; "),
    "over 1 Mb": ({"inputs": "A" * (10**6 + 1)}, "inputs has 1000001 characters; "),
    "NUL": ({"inputs": "AC\0GT"}, r"record '0': character '\x00' at base 3 "),
    "half a character": ({"inputs": "AC\ud800"}, r"record '0': character '\ud800' at base 3 "),
    "lines of old Macs": ({"inputs": "ACGT\rACGT"}, "inputs has several lines and is no FASTA; "),
    "protein": ({"inputs": ">a\nMKTAYIAKQR"}, "record 'a': character 'I' at base 6 "),
    "a header without sequence": ({"inputs": ">a\n>b\nACGT"}, "record 'a': the sequence is empty; "),
    "a name without end": ({"inputs": f">{'a' * 10**5}\nAC-T"}, f"record '{'a' * 60}…': character '-' at base 3 "),
}


@pytest.mark.parametrize(("request_", "message"), REQUESTS.values(), ids=REQUESTS)
def test_handler(handler, request_, message):
    with pytest.raises(ValueError) as error:
        handler(request_)
    assert_one_line(str(error.value), message)


@pytest.mark.parametrize("text", ["\ufeff>a\nAC\nGT\n>b\nTT", ">a\r\nACGT\r\n>b\r\nTT\r\n", ">a\rAC\rGT\r >b\rTT"])
def test_handler_reads_fasta_of_any_system(handler, text):
    assert handler({"inputs": text}) == handler({"inputs": ">a\nACGT\n>b\nTT\n"})


def test_a_model_that_gives_no_number(model, folder, handler, monkeypatch, capsys):
    from dream_bert import BertForSequenceRegression

    broken = BertForSequenceRegression.from_pretrained(model)
    with torch.no_grad():
        broken.classifier.bias.fill_(torch.nan)
    broken.save_pretrained("broken")
    capsys.readouterr()  # transformers' progress bars, if no test before has silenced them
    write("ACGT\n")
    message = "input:1: record '0': the model predicts no finite number; "
    assert_refused(["predict", "input", "--model", "broken", "-o", "out.tsv"], message, capsys)
    monkeypatch.setattr(handler, "model", broken)
    with pytest.raises(ValueError, match="record '0': the model predicts no finite number"):
        handler({"inputs": "ACGT"})


# --- files that are none, and outputs ----------------------------------------------------------------------------

VERBS = {
    "predict": ["predict", "PATH", "-o", "out.tsv", "--model", "MODEL"],
    "prepare": ["prepare", "PATH", "-o", "data"],
    "score": ["score", "PATH", "--labels", "labels"],
    "labels": ["score", "labels", "--labels", "PATH"],
}


def refuse_secret(file, *args, _open=open, **kwargs):
    if Path(str(file)).name == "secret":
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    return _open(file, *args, **kwargs)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("path", ["missing", "folder", "loop", "secret", "/proc/self/mem"])
def test_a_file_that_cannot_be_read(folder, model, path, verb, capsys, monkeypatch):
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    write(PREDICTIONS, "labels")
    write(ROWS, "secret")
    Path("secret").chmod(0)
    if path == "secret" and os.access("secret", os.R_OK):  # root reads everything
        monkeypatch.setattr("builtins.open", refuse_secret)
    if path.startswith("/proc") and not Path(path).exists():
        pytest.skip("needs Linux")
    names = {"PATH": path, "MODEL": model}
    argv = [names.get(argument, argument) for argument in VERBS[verb]]
    if verb == "labels":
        argv[1] = "predictions"
        write(PREDICTIONS, "predictions")
    digested = verb == "prepare" and path.startswith("/proc")  # its error names no file
    assert_refused(argv, "" if digested else f"{path}: ", capsys)


OUTPUTS = {
    "a folder": ("folder", "is a folder; name a file"),
    "in no folder": ("none/out.tsv", "no such folder; make it first"),
    "in a file": ("input/out.tsv", "no such folder; make it first"),
    "a loop": ("loop", "Too many levels of symbolic links"),
    "too long a name": (f"{'a' * 300}.tsv", "File name too long"),
    "a full device": ("/dev/full", "No space left on device"),
}


@pytest.mark.parametrize(("output", "message"), OUTPUTS.values(), ids=OUTPUTS)
def test_an_output_that_cannot_be_written(folder, model, output, message, capsys):
    if output.startswith("/dev") and not Path(output).exists():
        pytest.skip("needs Linux")
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    write(ROWS)
    for argv in (["predict", "input", "--model", model, "--format", "tsv"], ["simulate", "-n", "3"]):
        before = sorted(os.listdir())
        assert main([*argv, "-o", output]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n"), err.endswith(f"{message}\n")) == ("", 1, True), err
        assert sorted(os.listdir()) == before


# --- bounded memory, pipes, Ctrl-C ------------------------------------------------------------------------------

BOMBED = """
import resource, sys
import dream_bert.data.prepare
from dream_bert.io import reader as reading
from dream_bert.cli.main import main
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (128 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for name in sys.argv[1:]:
    try:
        print(sum(1 for _ in reading.read_records(name)), "records")
    except ValueError as error:
        print(error)
    assert main(["prepare", name, "-o", "data"]) == 2
"""


def _one_long_value_many_times(kind: pa.DataType) -> bytes:
    table = pa.table({"sequence": pa.array(["A" * 2**20] * 300, kind), "expression": [1.0] * 300})
    stream = io.BytesIO()
    pq.write_table(table, stream, dictionary_pagesize_limit=2**22)
    return stream.getvalue()


@pytest.mark.slow
def test_what_unpacks_to_gigabytes_takes_bounded_memory(folder):
    """128 MiB are free when a gigabyte, or sixteen million lines, come out of small files."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs Linux")
    bases, blanks, joined = (gzip.compress(text * (1 << 24), 1) for text in (b"A", b"\n", b'"\n",'))
    header = gzip.compress(b">a\n")
    bombs = {
        "line": (64 * bases, f":1: the line has more than {LONGEST_RECORD} characters; "),
        "fasta": (header + 64 * bases, f":2: the line has more than {LONGEST_RECORD} characters; "),
        "blank": (header + blanks, "1 records"),
        "row": (gzip.compress(b"sequence,x\n") + joined, ": the row has more than "),
        "many": (_one_long_value_many_times(pa.string()), "300 records"),
        "many large": (_one_long_value_many_times(pa.large_string()), "300 records"),
        "many views": (_one_long_value_many_times(pa.string_view()), "300 records"),
        "zeros": (64 * gzip.compress(bytes(1 << 24), 1), f":1: the line has more than {LONGEST_RECORD} characters; "),
    }
    for name, (content, _) in bombs.items():
        write(content, name)
    done = subprocess.run(
        [sys.executable, "-c", BOMBED, *bombs], env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for line, (content, message) in zip(done.stdout.splitlines(), bombs.values(), strict=True):
        assert message in line and len(content) < 2**24
    assert [error.split(":")[1].strip() for error in done.stderr.splitlines()] == list(bombs), done.stderr
    assert sorted(os.listdir()) == sorted(bombs)


def test_a_file_of_predictions_that_is_too_large(folder, capsys):
    write(5 * gzip.compress(b"\n" * (LARGEST_FILE // 4), 1), "predictions")
    write(LABELS, "labels")
    message = f"predictions: has over {LARGEST_FILE >> 20} MiB; give "
    assert_refused(["score", "predictions", "--labels", "labels"], message, capsys)


def test_a_reader_that_has_had_enough(folder):
    """`dream-bert simulate ... | head -1`."""
    process = subprocess.Popen(
        [*COMMAND, "simulate", "-n", "1000000000", "-o", "/dev/stdout"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline().count(b"\t") == 1
    process.stdout.close()
    assert (process.stderr.read(), process.wait(60)) == (b"", 141)


@pytest.mark.parametrize("verb", ["predict", "prepare"])
def test_ctrl_c_while_the_input_is_read(folder, model, verb):
    os.mkfifo("input")
    names = {"PATH": "input", "MODEL": model}
    argv = [names.get(argument, argument) for argument in VERBS[verb]]
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # Whoever starts tests in the background has them ignore Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen([*COMMAND, *argv], env=ENVIRONMENT, preexec_fn=heed, **pipes)
    with open("input", "wb") as pipe:  # waits until the other side reads
        pipe.write(ROWS)
        pipe.flush()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 130
    assert os.listdir() == ["input"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("redirection", "status", "message"),
    [
        ("> /dev/full", 2, "No space left on device\n"),
        (">&-", 0, ""),
    ],
)
def test_a_standard_output_that_takes_nothing(folder, redirection, status, message, unbuffered):
    write(ROWS)
    shares = "--stage regression --validation 0 --test 0"
    command = f"'{sys.executable}' -m dream_bert.cli.main prepare input -o data {shares} {redirection}"
    environment = ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.endswith(message) and done.stderr.count("\n") == bool(message)


def test_a_standard_input_that_is_closed(folder, monkeypatch, model, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert_refused(["predict", "-", "--model", model, "-o", "out.tsv"], "stdin: is closed; ", capsys)


FLIPPED_BYTES = """
import sys
from pathlib import Path
from dream_bert.io.reader import read_records
from dream_bert.io.streams import ReadError
path, whole = Path(sys.argv[1]), Path(sys.argv[1]).read_bytes()
refused = 0
for place in range(len(whole)):
    for flip in (1, 2, 16, 255):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
        try:
            sum(1 for _ in read_records(path, labelled=True))
        except ReadError as error:
            assert "\\n" not in str(error)
            refused += 1
print(refused)
"""


def test_no_flipped_byte_of_a_parquet_file_ends_the_process(tmp_path):
    table = pa.table({"id": ["a", "b"], "sequence": ["ACGT", "TTT"], "expression": [1.0, 2.5]})
    pq.write_table(table, tmp_path / "rows.parquet", write_page_index=True)
    command = [sys.executable, "-c", FLIPPED_BYTES, str(tmp_path / "rows.parquet")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 100

"""The page's scripts read sequences, tables and oligos as Python does, in node."""

import re
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from space_site import LONGEST, MODEL, run_in_node

from dream_bert.errors import ReadError
from dream_bert.inference.notes import InsertReader
from dream_bert.io.reader import read_records, scan_records
from dream_bert.io.records import BadRow
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, SequenceError
from dream_bert.sequence.orientation import find_oligo, reverse_complement

SPACES = " \x0b\x1c\x85\xa0\u2003\u2028"
PIECES = [
    ">",
    "> p1 x",
    ">p2|3",
    "ACGT",
    "acgu",
    "NNRY",
    "X",
    "-",
    "é",
    "A\U0001f9ec",
    "\t1.5",
    "\n",
    "\n",
    "\r\n",
    "\r",
]
texts = st.lists(
    st.sampled_from([*PIECES, *SPACES, OLIGO_START, OLIGO_END, "N" + OLIGO_START, "ACGT" * 20, "TTTT" * 32])
)


def read_on_the_page(texts: list[str], orient: bool = False) -> list[dict]:
    """Read each text as the page does: `promoters`, `problems`, and the number of `oligos`."""
    source = """import { readPromoters } from "./reading.js";
        output = input.texts.map((text) => readPromoters(text, input.model, input.orient));"""
    return run_in_node(source, {"texts": texts, "model": MODEL, "orient": orient})


@settings(max_examples=15)
@given(st.lists(texts.map("".join), min_size=20, max_size=40))
def test_text_is_read_as_python_reads_it(tmp_path_factory, many):
    many = [text + "\n" for text in many]
    path = tmp_path_factory.mktemp("space") / "text"
    for text, page in zip(many, read_on_the_page(many), strict=True):
        path.write_bytes(text.encode())
        assert (page["promoters"], _faults(page)) == _read_in_python(path), repr(text)


def _faults(page: dict) -> list:
    """What is wrong with each record as (line, message), or "refused" for a whole text."""
    problems = page["problems"]
    return "refused" if problems and "whole" in problems[0] else [_fault(p["line"], p["message"]) for p in problems]


def _fault(line: int, message: str) -> tuple[int, str]:
    message = re.sub("^record .*?: ", "", message)  # Python's has the id as `repr` writes it
    return line, message.removesuffix(" (dream-bert windows)")  # on the page this is a task beside the others


def _read_in_python(path: Path, orient: bool = False) -> tuple[list, list]:
    reader = InsertReader(LONGEST, MODEL["insert_lengths"], orient)
    promoters, faults = [], []
    try:
        with warnings.catch_warnings(action="ignore"):
            records = list(scan_records(path))
        for record in records:
            if isinstance(record, BadRow):
                faults.append(_fault(int(record.where.rpartition(":")[2]), record.detail))
                continue
            try:
                insert, note = reader(record)
                promoters.append({"id": record.id, "insert": insert, "note": note})
            except SequenceError as error:
                line = int(record.where.rpartition(":")[2])
                faults.append(_fault(line, str(error).removeprefix(f"{record.where}: ")))
    except ReadError as error:
        return [], [] if "has no record" in str(error) else "refused"
    return promoters, faults


def _changed(constant: str):
    """A constant with up to 4 bases changed, or a part of it."""
    places = st.lists(st.integers(0, len(constant) - 1), max_size=4)
    changed = st.tuples(places, st.sampled_from("ACGTN")).map(
        lambda change: "".join(change[1] if i in change[0] else base for i, base in enumerate(constant))
    )
    return changed | st.integers(0, len(constant)).map(lambda begin: constant[begin:])


_flanks = st.just("") | st.text("ACGTN", max_size=4)
_oligos = st.tuples(
    _flanks, _changed(OLIGO_START), st.text("ACGTRYSWKMBDHVN", max_size=90), _changed(OLIGO_END), _flanks
).map("".join)


@settings(max_examples=5)
@given(st.lists(_oligos | _oligos.map(reverse_complement), min_size=40, max_size=80), st.booleans())
def test_oligos_are_read_and_noted_as_in_python(tmp_path_factory, many, orient):
    text = "".join(f">{i}\n{sequence}\n" for i, sequence in enumerate(many))
    path = tmp_path_factory.mktemp("space") / "text"
    path.write_text(text)
    (page,) = read_on_the_page([text], orient)
    assert (page["promoters"], _faults(page)) == _read_in_python(path, orient)
    assert page["oligos"] == sum(find_oligo(sequence) is not None for sequence in many)


def test_fasta_of_windows_and_spreadsheets():
    (page,) = read_on_the_page(["\ufeff>a\r\nACGT\r\n\r\n>b first\r\nAC GT\r\n>\r\nTT"])
    inserts = [("a", "ACGT"), ("b", "ACGT"), ("2", "TT")]
    assert [(promoter["id"], promoter["insert"]) for promoter in page["promoters"]] == inserts
    assert not page["problems"]


A80, B80 = "ACGTTGCA" * 10, "TTGACCAT" * 10
READ = {
    "FASTA with comments": (f"; made by\n# hand\n>u\n{A80}\n; more\n>v x\n{B80}\n", ["u", "v"]),
    "FASTA with spaces before the names": (f"> tile 0\n{A80}\n>  tile 1 \n{B80}\n", ["tile 0", "tile 1"]),
    "FASTA with one first word": (f">tile 0\n{A80}\n>tile 1\n{B80}\n", ["tile 0", "tile 1"]),
    "FASTA with one id twice": (f">u\n{A80}\n>u\n{B80}\n", ["u", "u"]),
    "semicolons and a byte order mark": (f"\ufeffName;Oligo;Activity\nu;{A80};0,5\nv;{B80};7,25\n", ["u", "v"]),
    "sep=": (f"sep=|\nsequence_id|dna\nu|{A80}\nv|{B80}\n", ["u", "v"]),
    "a column of another usual name": (f"oligo sequence\n{A80}\n{B80}\n", ["0", "1"]),
    "a header after #": (f"#seq_id\tSeq\tn\nu\t{A80}\t1\nv\t{B80}\t2\n", ["u", "v"]),
    "comments in a table": (f"# GEO\n#\nid,insert\nu,{A80}\n# half\nv,{B80}\n", ["u", "v"]),
    "comments among lines": (f"# one\n{A80}\n# two\n{B80}\n", ["0", "1"]),
    "row names of write.table": (f'"seq"\t"n"\n"u1"\t"{A80}"\t1\n"v1"\t"{B80}"\t2\n', ["u1", "v1"]),
    "row names beside one column": (f'"seq"\n"u1"\t"{A80}"\n"v1"\t"{B80}"\n', ["u1", "v1"]),
    "row names of pandas": (f",seq\nu,{A80}\nv,{B80}\n", ["u", "v"]),
    "names and sequences alone": (f"u-1,{A80}\nv-1,{B80}\n", ["u-1", "v-1"]),
    "sequences and labels": (f"{A80}\t1.5\n{B80}\t2\n", ["0", "1"]),
    "quotes, commas and line breaks": (f'id,seq\n"u,""1""",{A80}\n"v\n2",{B80}\n', ['u,"1"', "v\n2"]),
}


def test_tables_and_fasta_of_others_are_read_as_in_python(tmp_path):
    pages = read_on_the_page([text for text, _ in READ.values()])
    for (name, (text, ids)), page in zip(READ.items(), pages, strict=True):
        assert [promoter["id"] for promoter in page["promoters"]] == ids, name
        assert [promoter["insert"] for promoter in page["promoters"]] == [A80, B80], name
        (tmp_path / "text").write_text(text)
        assert (page["promoters"], _faults(page)) == _read_in_python(tmp_path / "text"), name


REFUSED = {
    f"tag\n{A80}\n{B80}\n": "has no column 'sequence' but tag",
    f"ref\tchr\n{A80}\t{B80}\n{B80}\t{A80}\n": "has no column 'sequence' but ref, chr",
    f"id\tvalue\nu\t{A80}\n": "has no column 'sequence' but id, value",
    f"seq,n,seq\n{A80},1,{B80}\n": "has 2 columns 'seq'",
    f"{A80},{B80}\n{B80},{A80}\n": "has 2 columns and no header, and it is unclear which holds the sequences",
    f"id seq\nu {A80}\n": "the columns are separated by spaces",
    "LOCUS       SCU49845     5028 bp    DNA\n": "is GenBank, which is not read here",
    "ID   X56734; SV 1; linear\n": "is EMBL, which is not read here",
    f"@read\n{A80}\n+\n{'F' * 80}\n": "is FASTQ, which is not read here",
    "##fileformat=VCFv4.1\n##source=x\n": "is VCF, which is not read here",
    "##gff-version 3\n": "is GFF, which is not read here",
    "@HD\tVN:1.6\n": "is SAM, which is not read here",
    "chrII\t5\t85\tu\n": "is BED, which is not read here",
    "CLUSTAL W (1.83)\n\nu ACGT\n": "is a Clustal alignment, which is not read here",
    "#NEXUS\nbegin data;\n": "is NEXUS, which is not read here",
    "<!DOCTYPE html>\n<p>\n": "is HTML, which is not read here",
    f'[{{"seq": "{A80}"}}]': "is JSON, which is not read here",
}


def test_what_cannot_be_read_is_named_as_in_python_and_nothing_of_it_predicted(tmp_path):
    for (text, what), page in zip(REFUSED.items(), read_on_the_page(list(REFUSED)), strict=True):
        assert page["promoters"] == [], text
        (problem,) = page["problems"]
        assert problem["whole"] and problem["message"].startswith(f"{what}; "), text
        (tmp_path / "text").write_text(text)
        with pytest.raises(ReadError, match=re.escape(f"text:{problem['line']}: {what}; ")):
            list(read_records(tmp_path / "text"))


def test_a_quote_that_is_not_closed_is_named():
    (page,) = read_on_the_page([f'id,seq\n"u,{A80}\nv,{B80}\n'])
    assert page["problems"] == [
        {"line": 2, "message": "has a quote that is not closed; close or remove it", "whole": True}
    ]


def test_a_row_with_other_columns_than_the_header_is_left_out():
    (page,) = read_on_the_page([f"id,seq\nu,{A80},1\nv,{B80}\n"])
    assert [promoter["id"] for promoter in page["promoters"]] == ["v"]
    what = "the row has 3 columns and the header 2; correct or remove the row"
    assert page["problems"] == [{"line": 2, "message": f"record '0': {what}"}]

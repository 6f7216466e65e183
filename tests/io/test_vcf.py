"""VCF and BCF, read and written with more INFO."""

import gzip
import io
import sys

import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.errors import ReadError
from dream_bert.io.bgzf import BgzfWriter
from dream_bert.io.records import BadRow
from dream_bert.io.vcf import VcfRecord, info_text, open_vcf

HEADER = """##fileformat=VCFv4.2
##contig=<ID=I,length=1000>
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb
"""
ROWS = """I\t1\trs1\tA\tC,<DEL>\t1234567.8\tPASS\tAF=0.123456789,0.5\tGT\t0/1\t1|2
I\t20\t.\tacg\t*\t.\t.\t.\tGT\t./.\t0/0
"""


PLAIN_ROWS = ROWS.replace("<DEL>", "G")  # pysam adds END to a record of <DEL>, and not to a header that it has written


def write_with_pysam(path, mode: str, rows: str = PLAIN_ROWS) -> None:
    source = path.with_name("source.vcf")
    source.write_text(HEADER + rows)
    with pysam.VariantFile(str(source)) as records, pysam.VariantFile(str(path), mode, header=records.header) as out:
        for record in records:
            out.write(record)


def read(path) -> tuple[list[str], list]:
    with open_vcf(path) as vcf:
        return vcf.header, list(vcf.records)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_text_comes_back_as_it_was(tmp_path, pack):
    path = tmp_path / "in.vcf"
    path.write_bytes(pack((HEADER + ROWS).encode()))
    header, records = read(path)
    assert "".join(f"{line}\n" for line in header) == HEADER
    assert "".join(record.with_info({}) + "\n" for record in records) == ROWS
    assert [(record.contig, record.position, record.ref, record.alts) for record in records] == [
        ("I", 1, "A", ["C", "<DEL>"]),
        ("I", 20, "acg", ["*"]),
    ]
    assert [record.where for record in records] == [f"{path}:6", f"{path}:7"]


@pytest.mark.parametrize("mode", ["wb", "wb0", "wz"])
def test_what_pysam_wrote(tmp_path, mode):
    path = tmp_path / "out"
    write_with_pysam(path, mode)
    header, records = read(path)
    assert header[-1] == HEADER.splitlines()[-1]
    assert set(HEADER.splitlines()) <= set(header)
    assert [record.fixed[:5] for record in records] == [row.split("\t")[:5] for row in PLAIN_ROWS.splitlines()]
    assert [record.others for record in records] == ["GT\t0/1\t1|2", "GT\t./.\t0/0"]


def test_bcf_through_a_pipe(tmp_path, monkeypatch):
    path = tmp_path / "out.bcf"
    write_with_pysam(path, "wb")
    stream = io.BytesIO(path.read_bytes())
    stream.seekable = lambda: False
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
    assert [record.fixed for record in read("-")[1]] == [record.fixed for record in read(path)[1]]


def test_damaged_bcf(tmp_path):
    path = tmp_path / "out.bcf"
    write_with_pysam(path, "wb", "".join(f"I\t{i}\t.\tA\tC\t.\t.\t.\tGT\t0/1\t1/1\n" for i in range(1, 999)))
    whole = path.read_bytes()
    for end in (200, len(whole) // 2, len(whole) - 28):
        path.write_bytes(whole[:end])
        with pytest.raises(ReadError, match="the BGZF data are cut off") as error:
            read(path)
        assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


def test_bcf_that_is_none(tmp_path):
    path = tmp_path / "in.bcf"
    for content, message in {
        b"BCF\2\2": "is no BCF that can be read",
        b"BCF\2\2\xff\xff\0\0##file": "is no BCF that can be read",
    }.items():
        path.write_bytes(content)
        with pytest.raises(ReadError, match=message) as error:
            read(path)
        assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


@pytest.mark.parametrize("end", [-28, -29, -60])
def test_bgzf_that_is_cut_off(tmp_path, end):
    path = tmp_path / "in.vcf.gz"
    with path.open("wb") as file, BgzfWriter(file) as packed:
        packed.write((HEADER + ROWS).encode())
    whole = path.read_bytes()
    assert len(read(path)[1]) == 2
    path.write_bytes(whole[:end])
    with pytest.raises(ReadError, match="the BGZF data are cut off, "):
        read(path)


INFO = st.lists(st.sampled_from(["AF=0.5", "DB", "DREAM=x|y", "DREAM", "DREAM_SKIPPED=a|b", "DREAMS=1"]), max_size=5)


@given(INFO, st.sampled_from(["", "A|g"]))
def test_info_is_replaced_and_the_rest_kept(info, value):
    record = VcfRecord(["I", "1", ".", "A", "C", ".", ".", ";".join(info) or "."], "GT\t0/1", "f:1")
    entries = record.with_info({"DREAM": value, "DREAM_SKIPPED": ""}).split("\t")[7].split(";")
    kept = [entry for entry in info if entry in ("AF=0.5", "DB", "DREAMS=1")]
    assert entries == ([*kept, *([f"DREAM={value}"] if value else [])] or ["."])


def test_lines_of_a_header_are_replaced(tmp_path):
    path = tmp_path / "in.vcf"
    path.write_text(HEADER)
    with open_vcf(path) as vcf:
        lines = vcf.header_with({"##INFO=<ID=AF,": "new>", "##made_by=": "it"})
    assert lines == [*(HEADER.splitlines()[i] for i in (0, 1, 3)), "##INFO=<ID=AF,new>", "##made_by=it", lines[-1]]
    assert lines[-1].startswith("#CHROM")


@given(st.text(max_size=20))
def test_names_in_info_have_no_reserved_character(name):
    assert not set(info_text(name)) & set('|,;= \t\r\n"&')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": has no line that begins with #CHROM "),
        (">I\nACGT\n", ":1: is no VCF, which begins with ##fileformat=VCF; "),
        ("##fileformat=VCFv4.2\n", ": has no line that begins with #CHROM "),
        ("##fileformat=VCFv4.2\nI\t1\t.\tA\tC\t.\t.\t.\n", ": has no line that begins with #CHROM "),
        ("#CHROM\tPOS\tID\tREF\tALT\n", ":1: the columns are #CHROM, POS, ID, REF, ALT; "),
        ("##fileformat=VCFv4.2\n#CHROM POS ID REF ALT QUAL FILTER INFO\n", ":2: the columns are "),
        ("##fileformat=VCFv4.2\n##a\0\n", ":2: is not UTF-8 text; give VCF or BCF"),
    ],
)
def test_no_vcf(tmp_path, content, message):
    path = tmp_path / "in.vcf"
    path.write_text(content)
    with pytest.raises(ReadError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}{message}") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("I\t1\t.\tA\tC\t.\t.\t.\tGT\t0/1", "wrong number of columns"),
        ("I\t-1\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1", "POS not a number"),
        ("I\t1.5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1", "POS not a number"),
        ("I\t99999999999999\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1", "POS not a number"),
        ("I\t1\t.\t\tC\t.\t.\t.\tGT\t0/1\t0/1", "empty field"),
        ("I\t1\t.\tA\tC,\t.\t.\t.\tGT\t0/1\t0/1", "empty field"),
        ("\t1\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1", "empty field"),
        ("I\t1\t.\tA\tC\t.\t.\t\0\tGT\t0/1\t0/1", "not text"),
    ],
)
def test_a_bad_record_comes_in_its_place(tmp_path, row, reason):
    path = tmp_path / "in.vcf"
    path.write_text(f"{HEADER}{row}\n\n{ROWS}")
    bad, *good = read(path)[1]
    assert isinstance(bad, BadRow) and (bad.where, bad.reason, bad.text) == (f"{path}:6", reason, row)
    assert "; " in bad.detail
    assert [record.position for record in good] == [1, 20]

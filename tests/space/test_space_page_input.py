"""Texts and files on the built page in headless Chromium: what is read, and what is told where they cannot be."""

import gzip

import pytest
from space_page import predicted, random_inserts, submit

pytestmark = pytest.mark.slow


def test_bad_records_are_told_and_left_out(page):
    text = ">good\nACGT\n>bad\nACGT\nACXT\n>empty\n>long\n" + "A" * 129 + "\n>better\nTTTT\n"
    assert [id for id, *_ in predicted(page, text)] == ["good", "better"]
    assert page.inner_text("#problems h2") == "3 of 5 records cannot be scored and are left out"
    assert page.inner_text("#problems ol").split("\n") == [
        "Line 3 record 'bad': character 'X' at base 7 is not an IUPAC nucleotide code; remove or replace it",
        "Line 6 record 'empty': the sequence is empty; give at least 1 bp of insert",
        "Line 7 record 'long': the insert is 129 bp and the model reads at most 128 bp; score windows of it",
    ]
    page.click("#problems button >> nth=2")
    assert page.evaluate("getSelection().toString()") == ">long"


@pytest.mark.parametrize("text", ["", " \n\t\n", ">only a name\n"])
def test_nothing_to_predict(page, text):
    submit(page, text)
    assert page.is_visible("#problems") and not page.is_visible("#results")
    assert page.inner_text("#activity") == "There is nothing to predict"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A\n" * 20_001, "20,001 sequences are too many for this page, which takes 20,000; use the command line"),
        ("A" * 4_100_000, "4.1 million characters are too many for this page, which takes 4; use the command line"),
    ],
    ids=["sequences", "characters"],
)
def test_more_than_the_page_takes_is_told_at_once(page, text, message):
    submit(page, text)
    assert page.inner_text("#activity") == message
    assert not page.is_visible("#results") and not page.is_visible("#stop")
    page.locator("#sequences").evaluate("(box) => (box.value = '')")


def test_a_paste_that_is_too_long_does_not_reach_the_form(page):
    paste = """(box) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text", "A".repeat(4_100_000));
        return box.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
    }"""
    assert page.locator("#sequences").evaluate(paste) is False
    assert page.inner_text("#activity").startswith("4.1 million characters are too many")


def test_a_file_is_read(page, tmp_path):
    (tmp_path / "promoters.fa").write_text(">p1\nACGT\n")
    page.set_input_files("#file", tmp_path / "promoters.fa")
    while not page.input_value("#sequences"):  # the page's policy forbids what `wait_for_function` evaluates
        page.wait_for_timeout(20)
    assert page.input_value("#sequences") == ">p1\nACGT\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ACGT\n".encode("utf-16"), "is UTF-16 text, which is not read here; save it as UTF-8"),
        ("ACGT\n".encode("utf-16-le"), "is not UTF-8 text (it holds NUL characters)"),
        (b"p\xe9\n", "is not UTF-8 text ("),
        (gzip.compress(b"ACGT\n"), "is gzipped, which is not read here; unpack it"),
        (
            b"PK\x03\x04\x14\0\x06\0[Content_Types].xml",
            "is a zip archive or an Excel workbook, which is not read here; ",
        ),
    ],
    ids=["utf-16", "utf-16-le", "latin-1", "gzip", "xlsx"],
)
def test_a_file_that_is_no_text_is_told_and_changes_nothing(page, tmp_path, content, message):
    page.fill("#sequences", "TTTT")
    (tmp_path / "odd").write_bytes(content)
    page.set_input_files("#file", tmp_path / "odd")
    page.locator("#activity", has_text=f"odd {message}").wait_for()
    assert page.input_value("#sequences") == "TTTT"


def test_a_file_that_is_too_large_is_told(page, tmp_path):
    (tmp_path / "large").write_bytes(b"A" * 4_100_000)
    page.set_input_files("#file", tmp_path / "large")
    page.locator("#activity", has_text="4.1 million characters are too many for this page").wait_for()
    assert page.input_value("#sequences") == ""


def test_a_table_is_read_by_its_header(page):
    (insert,) = random_inserts(1)
    rows = predicted(page, f"\ufeff# hand-made\nName;Seq;n\n=A1;{insert};1,5\n=A1;{insert};2\n")
    assert [(id, note) for id, _, note in rows] == [("=A1", ""), ("=A1", "")]


def test_a_text_of_another_format_is_refused_whole(page):
    submit(page, "@read1\nACGT\n+\nFFFF\n")
    assert page.inner_text("#problems h2") == "The text cannot be read"
    assert page.inner_text("#problems ol").startswith("Line 1 is FASTQ, which is not read here; convert it to FASTA")
    assert not page.is_visible("#results")

"""Files of promoters, most of them bad, and what is read of each or said against it."""

import gzip
import io
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from dream_bert.io.records import LONGEST_RECORD
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START


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

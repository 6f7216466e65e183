"""Recognise formats that are not read here, and name what converts them."""

import re
from collections.abc import Sequence

from ..errors import ReadError

HEAD = 64
"""Bytes at the beginning of a file that identify a binary format."""

_TO_FASTA = "convert it to FASTA"
_UNPACK = "unpack it, or compress it with gzip"
_SAVE = "save the sheet as CSV"
_EXPORT = "export the sequences as FASTA or CSV"
_INTERVALS = "predict these regions of a genome with: dream-bert windows --genome, or give their sequences"
_VARIANTS = "score the variants with: dream-bert variants"
_MAGIC = {
    b"\xff\xfe\0\0": ("UTF-32 text", "save it as UTF-8"),
    b"\xff\xfe": ("UTF-16 text", "save it as UTF-8"),
    b"\xfe\xff": ("UTF-16 text", "save it as UTF-8"),
    b"\x1f\x8b": ("gzipped twice", "unpack it once"),
    b"BZh": ("a bzip2 file", _UNPACK),
    b"\xfd7zXZ": ("an xz file", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("a zstd file", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7-zip file", _UNPACK),
    b"Rar!": ("a RAR file", _UNPACK),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook (xls)", _SAVE),
    b"%PDF": ("a PDF", _EXPORT),
    b"\x89PNG": ("an image", _EXPORT),
    b"\xff\xd8\xff": ("an image", _EXPORT),
    b"GIF8": ("an image", _EXPORT),
    b"\x89HDF": ("an HDF5 file", _EXPORT),
    b"CDF\x01": ("a NetCDF file", _EXPORT),
    b"SQLite": ("an SQLite database", _EXPORT),
    b"ARROW1": ("an Arrow file", "write it as Parquet"),
    b"FEA1": ("a Feather file", "write it as Parquet"),
    b"ORC": ("an ORC file", "write it as Parquet"),
    b"Obj\x01": ("an Avro file", "write it as Parquet"),
    b"\x93NUMPY": ("a NumPy array", _EXPORT),
    b"RDX": ("an R workspace", "write the table with write.csv"),
    b"X\n\0\0": ("an R object", "write the table with write.csv"),
    b"BAM\x01": ("BAM", f"{_TO_FASTA}, as with: samtools fasta"),
    b"CRAM\x02": ("CRAM", f"{_TO_FASTA}, as with: samtools fasta"),  # "CRAM" alone may begin a sequence
    b"CRAM\x03": ("CRAM", f"{_TO_FASTA}, as with: samtools fasta"),
    b"BCF\x02": ("BCF", _VARIANTS),
    b"\x1a\x41\x27\x43": ("2bit", f"{_TO_FASTA}, as with: twoBitToFa"),
    b"\x43\x27\x41\x1a": ("2bit", f"{_TO_FASTA}, as with: twoBitToFa"),
    b"\x26\xfc\x8f\x88": ("bigWig", "give the sequences, not the signal"),
    b"\xeb\xf2\x89\x87": ("bigBed", "convert it to BED, as with: bigBedToBed"),
    b"\t\0\0\0\x0eSnapGene": ("a SnapGene file", _EXPORT),
    b"ABIF": ("a sequencer's trace (ABI)", _TO_FASTA),
    b"\x80\x02": ("a pickle", _EXPORT),
    b"\x80\x03": ("a pickle", _EXPORT),
    b"\x80\x04": ("a pickle", _EXPORT),
    b"\x80\x05": ("a pickle", _EXPORT),
}
_TEXT = (
    (r"LOCUS +\S", "GenBank", f"{_TO_FASTA}, as with: seqret"),
    (r"ID   \S", "EMBL", f"{_TO_FASTA}, as with: seqret"),
    (r"@(HD|SQ|RG|PG|CO)\t", "SAM", f"{_TO_FASTA}, as with: samtools fasta"),
    (r"##fileformat=VCF|#CHROM\tPOS\t", "VCF", _VARIANTS),
    (r"##gff-version", "GFF", _INTERVALS),
    (r"(track|browser) \S", "a UCSC track", _INTERVALS),
    (r"(fixedStep|variableStep) ", "wiggle", "give the sequences, not the signal"),
    (r"(?i)<(!doctype )?html", "HTML", "download the file itself, not its page"),
    (r"<", "XML", _EXPORT),
    (r"[{\[]\s*($|[\"{\[\]}\d])", "JSON", "write FASTA, CSV or Parquet"),
    (r"# STOCKHOLM", "a Stockholm alignment", _TO_FASTA),
    (r"CLUSTAL", "a Clustal alignment", _TO_FASTA),
    (r"(?i)#NEXUS", "NEXUS", _TO_FASTA),
    (r"version https://git-lfs", "a Git LFS pointer", "fetch the file itself with: git lfs pull"),
)
_PRINTABLE = frozenset(range(32, 127)) | frozenset(b"\t\r\n")
_ROWS = (
    (r"\S+\t[^\t]*\t[^\t]+\t\d+\t\d+\t[^\t]*\t[-+.?]\t", "GFF or GTF", _INTERVALS),
    (r"\S+\t\d+\t\d+(\t|$)", "BED", _INTERVALS),
    (r"\S+\t\d+\t\S+\t\d+\t\d+\t(\*|(\d+[MIDNSHPX=])+)\t", "SAM", f"{_TO_FASTA}, as with: samtools fasta"),
    (r"\S+\t\d+\t\S+\t[ACGTN]+\t[ACGTN.,*<>]+\t", "VCF", _VARIANTS),
)
"""Patterns of rows, for formats without a header."""

_PART = 4096
"""Characters of a line that are compared with the patterns."""


def refuse_binary(head: bytes, name: str) -> None:
    """Raise a ReadError that names the format of a file, if it is a known binary one.

    Args:
        head: its first 64 bytes.
        name: the file's name, for the message.
    """
    for magic, (kind, remedy) in _MAGIC.items():
        if head.startswith(magic):
            raise _is(name, kind, remedy)
    if head.startswith(b"PK\x03\x04"):
        if any(part in head for part in (b"[Content_Types]", b"xl/", b"_rels/", b"docProps")):
            raise _is(name, "an Excel workbook or other Office document", _SAVE)
        if b"mimetypeapplication/vnd.oasis" in head:
            raise _is(name, "an OpenDocument file", _SAVE)
        raise _is(name, "a zip archive", _UNPACK)
    if head[4:8] == b"\0\0\0\0" and head[8:9] == b"{":
        raise _is(name, "a safetensors file", "give the sequences; weights go to --model")
    for zeros, letters in ((head[0::2], head[1::2]), (head[1::2], head[0::2])):
        if zeros and not any(zeros) and all(byte in _PRINTABLE for byte in letters):
            raise _is(name, "UTF-16 text", "save it as UTF-8")


def refuse_text(lines: Sequence[tuple[int, str]], name: str) -> None:
    """Raise a ReadError that names the text format of a file's first lines, if it is one that is not read here.

    Args:
        lines: numbers and lines, none of them blank.
        name: the file's name, for the message.
    """
    number, first = lines[0]
    first = first[:_PART]
    where = f"{name}:{number}"
    for pattern, kind, remedy in _TEXT:
        if re.match(pattern, first):
            raise _is(where, kind, remedy)
    if first.startswith("@") and len(lines) > 2 and lines[2][1].startswith("+"):
        raise _is(where, "FASTQ", f"{_TO_FASTA}, as with: seqtk seq -A")
    for number, line in lines:
        if line.startswith("#"):
            continue
        for pattern, kind, remedy in _ROWS:
            if re.match(pattern, line[:_PART]):
                raise _is(f"{name}:{number}", kind, remedy)
        return


def _is(where: str, kind: str, remedy: str) -> ReadError:
    verb = "" if kind == "gzipped twice" else ", which is not read here"
    return ReadError(f"{where}: is {kind}{verb}; {remedy}")

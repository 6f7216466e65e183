"""Read VCF and BCF, and write VCF with more INFO.

Text is copied as it is: a library that parses numbers would write QUAL and INFO in other digits. Only BCF needs pysam.
"""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from ..errors import ReadError
from ..extras import explain_missing
from .bgzf import is_cut_off
from .foreign_formats import HEAD, refuse_binary
from .lines import line_fault, lines_of
from .records import LONGEST_RECORD, BadRow, RowFault
from .streams import copy, peek, shown
from .text_file import open_stream

FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
"""The columns that every VCF has."""

_PACKED_HEAD = 4096
"""Bytes of a gzip file from which its first content can be unpacked."""

_LARGEST_POSITION = 2**31 - 2
"""The largest POS that BCF holds."""

_SAFE = "<>[]*():/@+'"
"""Characters that mean nothing within an INFO value of several parts, beside letters, digits and `_.-~`."""


class VcfRecord(NamedTuple):
    """One record: the eight fixed columns as text, all others in one text, and where it was read."""

    fixed: list[str]
    others: str
    where: str

    @property
    def contig(self) -> str:
        return self.fixed[0]

    @property
    def position(self) -> int:
        """POS, from 1."""
        return int(self.fixed[1])

    @property
    def ref(self) -> str:
        return self.fixed[3]

    @property
    def alts(self) -> list[str]:
        """The alternative alleles; `.`, for none, is one."""
        return self.fixed[4].split(",")

    def with_info(self, values: dict[str, str]) -> str:
        """Return the record's line with INFO fields at the end, in place of earlier ones of their names.

        Args:
            values: text by key; empty: no such field.
        """
        kept = [entry for entry in self.fixed[7].split(";") if entry.partition("=")[0] not in (".", "", *values)]
        info = ";".join([*kept, *(f"{key}={value}" for key, value in values.items() if value)])
        return "\t".join([*self.fixed[:7], info or ".", *([self.others] if self.others else [])])


class Vcf(NamedTuple):
    """The lines of a header, the last of them with the columns' names; and the records,
    good and bad."""

    header: list[str]
    records: Iterator[VcfRecord | BadRow]

    def header_with(self, lines: dict[str, str]) -> list[str]:
        """Return the header with lines before its last, in place of earlier ones that begin the same.

        Args:
            lines: the rest of a line by its beginning, as `##INFO=<ID=DREAM,`.
        """
        *header, columns = self.header
        kept = [line for line in header if not line.startswith(tuple(lines))]
        return [*kept, *(f"{start}{rest}" for start, rest in lines.items()), columns]


def info_text(text: str) -> str:
    """Percent-encode what has a meaning in an INFO value of parts between `|`, as of VCF 4.3.

    >>> info_text("tP(UGG)A"), info_text("a|b,c;d=e f")
    ('tP(UGG)A', 'a%7Cb%2Cc%3Bd%3De%20f')
    """
    return quote(text, safe=_SAFE)


@contextmanager
def open_vcf(path: str | Path) -> Iterator[Vcf]:
    """Open VCF, plain, gzipped or BGZF, or BCF; `-` is standard input. No index is needed.

    Raises:
        ReadError: if it is neither, or is damaged; what is wrong with a record comes in its place.
        ModuleNotFoundError: if it is BCF, and pysam is not installed.
        OSError: if it cannot be opened.
    """
    with open_stream(path) as (name, file):
        if is_cut_off(file):
            raise ReadError(
                f"{name}: the BGZF data are cut off, as they lack the block at their end; copy the file again"
            )
        head, stream = peek(file, name, _PACKED_HEAD)
        if _unpack(head).startswith(b"BCF"):
            with _bcf_lines(path, file, stream, name) as lines:
                yield _read_lines(lines, name)
            return
        if head[:2] == b"\x1f\x8b":
            head, stream = peek(gzip.GzipFile(fileobj=stream), name, HEAD)
        refuse_binary(head[:HEAD], name)
        yield _read_lines(lines_of(stream, name), name)


def _unpack(head: bytes) -> bytes:
    """Unpack the first bytes of a gzip file; others come back as they are."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD) if head[:2] == b"\x1f\x8b" else head
    except zlib.error:
        return b""


@contextmanager
def _bcf_lines(path: str | Path, file: BinaryIO, stream: BinaryIO, name: str) -> Iterator[Iterator[tuple[int, str]]]:
    """Give the lines that a BCF file has as VCF, with their numbers."""
    try:
        import pysam
    except ImportError as error:
        raise ModuleNotFoundError(explain_missing(error), name=error.name) from error

    def lines(variants: "pysam.VariantFile") -> Iterator[tuple[int, str]]:
        header = str(variants.header).splitlines()
        yield from enumerate(header, 1)
        try:
            for number, record in enumerate(variants, len(header) + 1):
                yield number, str(record)
        except (OSError, ValueError) as error:
            what = f"the BCF data are damaged or cut off ({shown(str(error))})"
            raise ReadError(f"{name}: {what}; copy or write the file again") from error

    earlier = pysam.set_verbosity(0)  # its own messages on stderr
    try:
        with tempfile.NamedTemporaryFile() as copied:
            if not file.seekable():
                copy(stream, copied, name)
                copied.flush()
            try:
                variants = pysam.VariantFile(str(path) if file.seekable() else copied.name)
            except (OSError, ValueError) as error:
                what = f"is no BCF that can be read ({shown(str(error))})"
                raise ReadError(f"{name}: {what}; copy or write the file again") from error
            with variants:
                yield lines(variants)
    finally:
        pysam.set_verbosity(earlier)


def _read_lines(lines: Iterator[tuple[int, str]], name: str) -> Vcf:
    header = []
    for number, line in lines:
        line = _header_line(line, f"{name}:{number}")
        if number == 1 and not line.startswith(("##fileformat=VCF", "#CHROM\tPOS\t")):
            raise ReadError(f"{name}:1: is no VCF, which begins with ##fileformat=VCF; give VCF or BCF")
        header.append(line)
        if not line.startswith("##"):
            break
    if not header or not header[-1].startswith("#CHROM"):
        raise ReadError(f"{name}: has no line that begins with #CHROM before its records; give VCF or BCF")
    columns = header[-1].split("\t")
    if tuple(columns[:8]) != FIXED:
        what = f"the columns are {shown(', '.join(columns[:8]))}"
        raise ReadError(f"{name}:{number}: {what}; they begin with {', '.join(FIXED)}, between tabs")
    return Vcf(header, _read_records(lines, len(columns), name))


def _read_records(lines: Iterator[tuple[int, str]], columns: int, name: str) -> Iterator[VcfRecord | BadRow]:
    for number, line in lines:
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            yield _parse(line, columns, where)
        except RowFault as fault:
            yield BadRow(where, line.rstrip("\n")[:LONGEST_RECORD], *fault.args)


def _parse(line: str, columns: int, where: str) -> VcfRecord:
    if fault := line_fault(line):
        reason, detail = fault.args
        raise RowFault(reason, f"{detail.partition(';')[0]}; correct or remove the record")
    line = line.rstrip("\n")
    if (found := line.count("\t") + 1) != columns:
        what = f"the record has {found} columns and the header {columns}"
        raise RowFault("wrong number of columns", f"{what}; correct or remove the record")
    fixed = line.split("\t", len(FIXED))
    others = fixed.pop() if len(fixed) > len(FIXED) else ""
    contig, position, _, ref, alts, *_ = fixed
    if not (position.isascii() and position.isdigit() and int(position[:11]) <= _LARGEST_POSITION):
        raise RowFault("POS not a number", f"POS is {shown(position)!r}; give a whole number, from 1")
    if not (contig and ref and all(alts.split(","))):
        what = "CHROM, REF or an allele of ALT is empty"
        raise RowFault("empty field", f"{what}; write . where there is no ALT")
    return VcfRecord(fixed, others, where)


def _header_line(line: str, where: str) -> str:
    if fault := line_fault(line):
        raise ReadError(f"{where}: {fault.args[1].partition(';')[0]}; give VCF or BCF")
    return line.rstrip("\n")

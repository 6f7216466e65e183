"""Read a genome into memory, and find its contigs by any of their usual names."""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import ReadError
from .foreign_formats import HEAD, refuse_binary
from .streams import DAMAGE, damaged, peek, shown
from .text_file import open_stream

LARGEST_GENOME = 1 << 29
"""Bases of a genome that is held in memory: 44 times those of yeast, with a byte a base."""

_IUPAC = b"ACGTURYSWKMBDHVNacgturyswkmbdhvn"
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")
_MITOCHONDRIAL = {"M", "MT", "MITO", "MITOCHONDRION"}
_REFSEQ = re.compile(r"NC_(\d{6})(\.\d+)?")
_FIRST_REFSEQ, _MITOCHONDRIAL_REFSEQ = 1133, 1224


def contig_key(name: str) -> str:
    """Return one name for all those of a contig of *S. cerevisiae*: UCSC's, Ensembl's, SGD's and RefSeq's.

    RefSeq numbers the chromosomes of the reference strain from NC_001133, and its mitochondrial genome is NC_001224
    (https://www.ncbi.nlm.nih.gov/datasets/genome/GCF_000146045.2/). Other names only lose a leading `chr`.

    >>> [contig_key(name) for name in ("chrI", "I", "chri", "NC_001133.9", "chrM", "Mito", "NC_001224.1", "chr2L")]
    ['I', 'I', 'I', 'I', 'Mito', 'Mito', 'Mito', '2L']
    """
    bare = re.sub(r"^chr(omosome)?[_ ]?", "", name, flags=re.IGNORECASE)
    if refseq := _REFSEQ.fullmatch(bare):
        number = int(refseq[1])
        if 0 <= number - _FIRST_REFSEQ < len(_ROMAN):
            return _ROMAN[number - _FIRST_REFSEQ]
        return "Mito" if number == _MITOCHONDRIAL_REFSEQ else bare
    if bare.upper() in _MITOCHONDRIAL:
        return "Mito"
    return bare.upper() if bare.upper() in _ROMAN else bare


class Genome:
    """Sequences of contigs.

    Args:
        contigs: upper-case sequence by name.
    """

    def __init__(self, contigs: dict[str, str]):
        self.contigs = contigs
        keys = Counter(map(contig_key, contigs))
        self._names = {contig_key(name): name for name in contigs if keys[contig_key(name)] == 1}

    def find(self, name: str) -> str | None:
        """Return the name that a contig has here: the same, or another of the usual ones; None if it is not here."""
        return name if name in self.contigs else self._names.get(contig_key(name))


def read_genome(path: str | Path) -> Genome:
    """Read FASTA, plain, gzipped or BGZF; no index is needed or written.

    Raises:
        ReadError: if it is no FASTA, has a letter outside IUPAC, two contigs of one name, or more than 512 Mi bases.
        OSError: if it cannot be opened.
    """
    with open_stream(path) as (name, file):
        head, stream = peek(file, name, HEAD)
        if head[:2] == b"\x1f\x8b":
            head, stream = peek(gzip.GzipFile(fileobj=stream), name, HEAD)
        refuse_binary(head, name)
        contigs = {}
        for contig, sequence, number in _contigs(stream, name):
            if contig in contigs:
                raise ReadError(f"{name}:{number}: is the second contig {shown(contig)!r}; rename one")
            if not sequence:
                raise ReadError(f"{name}:{number}: contig {shown(contig)!r} has no bases; remove it")
            contigs[contig] = sequence.decode("ascii").upper().replace("U", "T")
    if not contigs:
        raise ReadError(f"{name}: has no contig; give FASTA, plain or gzipped")
    return Genome(contigs)


def _contigs(stream: BinaryIO, name: str) -> Iterator[tuple[str, bytearray, int]]:
    """Yield name, bases and header's line number of each contig."""
    contig, sequence, header, size, number = None, bytearray(), 0, 0, 0
    try:
        for number, line in enumerate(stream, 1):
            if line.startswith(b">"):
                if contig is not None:
                    yield contig, sequence, header
                words = line[1:].decode("utf-8", "replace").split(maxsplit=1)
                if not words:
                    raise ReadError(f"{name}:{number}: the contig has no name; write it after >")
                contig, sequence, header = words[0], bytearray(), number
                continue
            bases = b"".join(line.split())
            if not bases or bases.startswith(b";"):
                continue
            if contig is None:
                raise ReadError(f"{name}:{number}: is no FASTA, which begins with >; give the genome as FASTA")
            if wrong := bases.translate(None, _IUPAC):
                what = f"{shown(wrong[:1].decode('latin-1'))!r} is not an IUPAC nucleotide code"
                raise ReadError(f"{name}:{number}: {what}; correct the sequence")
            size += len(bases)
            if size > LARGEST_GENOME:
                raise ReadError(f"{name}: has more than {LARGEST_GENOME} bases; give the contigs that are asked for")
            sequence += bases
    except DAMAGE as error:
        raise damaged(f"{name}:{number + 1}", error) from error
    if contig is not None:
        yield contig, sequence, header

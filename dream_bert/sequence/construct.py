"""Define the constant bases of the reporter construct, and check input sequences and extract their inserts.

The plasmid is the pTpA GPRA scaffold (AddGene 127546; de Boer et al. 2020, https://doi.org/10.1038/s41587-019-0315-8).
An *insert* (about 80 bp) lies between 17 and 13 constant bp, together the *oligo*; the plasmid around the insert is
the *context*.
"""

import re

UPSTREAM = (
    "AGTCCACTATTAAAGAACGTGGACTCCAACGTCAAAGGGCGAAAAACCGT"
    "CTATCAGGGCGATGGCCCACTACGTGAACCATCACCCTAATCAAGTGCTA"
    "GCAGGAATGATGCAAAAGGTTCCCGATTCGAACTGCATTTTTTTCACATC"
)
"""The 150 bp of the plasmid before the insert."""

DOWNSTREAM = (
    "GGTTACGGCTGTTTCTTAATTAAAAAAAGATAGAAAACATTAGGAGTGTA"
    "ACACAAGACTTTCGGATCCTGAGCAGGCAAGATAAACGAAGGCAAAGATG"
    "TCTAAAGGTGAAGAATTATTCACTGGTGTTGTCCCAATTTTGGTTGAATT"
)
"""The 150 bp of the plasmid after the insert."""

OLIGO_START = UPSTREAM[-17:]
"""The 17 constant bp of the oligo before the insert."""

OLIGO_END = DOWNSTREAM[:13]
"""The 13 constant bp of the oligo after the insert."""

_OLIGO_START = re.compile(f"^([^ACGT]{{0,2}}){OLIGO_START}")
_NOT_IUPAC = re.compile(r"[^ACGTURYSWKMBDHVN]", re.IGNORECASE | re.ASCII)


class SequenceError(ValueError):
    """An input sequence that cannot be scored; the message names the record, its place and what to do.

    `reason` is a short name of the fault, by which skipped rows are counted.
    """

    def __init__(self, message: str, reason: str = "unusable sequence"):
        super().__init__(message)
        self.reason = reason


def to_insert(sequence: str) -> str:
    """Remove the oligo's constants from a cleaned sequence, each of them only if it is exact and at its end.

    One or two N (or other letters that read as N) before the first constant choose a reading frame, and are kept.

    >>> to_insert(OLIGO_START + "ACGT" + OLIGO_END), to_insert("ACGT" + OLIGO_END), to_insert("ACGT")
    ('ACGT', 'ACGT', 'ACGT')
    """
    frame, begin, end = find_insert(sequence)
    return sequence[:frame] + sequence[begin:end]


def find_insert(sequence: str) -> tuple[int, int, int]:
    """Find where the insert of a cleaned sequence stands: it is `sequence[:frame] + sequence[begin:end]`.

    >>> find_insert("NN" + OLIGO_START + "ACGT" + OLIGO_END), find_insert("ACGT")
    ((2, 19, 23), (0, 0, 4))
    """
    start = _OLIGO_START.match(sequence)
    frame, begin = (start.end(1), start.end()) if start else (0, 0)
    return frame, begin, begin + len(sequence[begin:].removesuffix(OLIGO_END))


def to_oligo(insert: str) -> str:
    """Add the oligo's constants to an insert: 17 bp before it, 13 bp after it.

    >>> len(to_oligo("A" * 80))
    110
    """
    return OLIGO_START + insert + OLIGO_END


def check_insert(sequence: str, record: str, where: str = "", longest: int | None = None) -> str:
    """Check an input sequence and return its insert.

    Args:
        sequence: insert, oligo or a sequence of another length, as read: any case, T or U, white space, IUPAC codes.
        record: the record's name, for messages.
        where: file and line, for messages, as `promoters.fa:12`.
        longest: the longest insert in bp that the model has positions for. Default: None, no limit.

    Returns:
        The insert in upper case, with T for U and without white space.

    Raises:
        SequenceError: if the sequence is no string or has a character outside IUPAC, or if the insert is empty or
            longer than `longest`.

    >>> check_insert("tgcatttttttcacatcACGR", "p1")
    'ACGR'
    >>> check_insert("", "p", "a:2")
    Traceback (most recent call last):
    dream_bert.sequence.construct.SequenceError: a:2: record 'p': the sequence is empty; give at least 1 bp of insert
    """
    return check_length(to_insert(check_bases(sequence, record, where)), record, where, longest)


def check_bases(sequence: str, record: str, where: str = "") -> str:
    """Check the letters of a sequence, and return it in upper case, with T for U and without white space.

    Raises:
        SequenceError: if it is no string, is empty, or has a character outside IUPAC.

    >>> check_bases("acg u\\n", "p1")
    'ACGT'
    """
    if not isinstance(sequence, str):
        raise SequenceError(f"{place_of(record, where)}: {sequence!r:.80} is no text; give a string", "no text")
    if wrong := _NOT_IUPAC.search(text := _without_space(sequence)):
        what = f"character {wrong[0]!r} at base {wrong.start() + 1} is not an IUPAC nucleotide code"
        raise SequenceError(f"{place_of(record, where)}: {what}; remove or replace it", "character outside IUPAC")
    if not text:
        what = "the sequence is empty; give at least 1 bp of insert"
        raise SequenceError(f"{place_of(record, where)}: {what}", "empty sequence")
    return text.upper().replace("U", "T")


def check_length(insert: str, record: str, where: str = "", longest: int | None = None) -> str:
    """Check that an insert is neither empty nor longer than `longest` bp, and return it.

    Raises:
        SequenceError: if it is.
    """
    if not insert:
        what = "nothing is left between the oligo's constants; give at least 1 bp of insert"
        raise SequenceError(f"{place_of(record, where)}: {what}", "empty sequence")
    if longest is not None and len(insert) > longest:
        what = f"the insert is {len(insert)} bp and the model reads at most {longest} bp"
        advice = "score windows of it (dream-bert windows)"
        raise SequenceError(f"{place_of(record, where)}: {what}; {advice}", "insert too long")
    return insert


def place_of(record: str, where: str = "") -> str:
    """Name a record in a message, after its file and line if they are known.

    >>> place_of("p1", "promoters.fa:1"), place_of("0")
    ("promoters.fa:1: record 'p1'", "record '0'")
    """
    return f"{where}: record {quoted(record)}" if where else f"record {quoted(record)}"


def quoted(name: str) -> str:
    """Quote a record's name for a message: on one line, its first 60 characters.

    >>> quoted("p\\n1"), quoted("A" * 99) == repr("A" * 60 + "…")
    ("'p\\\\n1'", True)
    """
    return repr(name if len(name) <= 60 else f"{name[:60]}…")


def _without_space(text: str) -> str:
    return "".join(text.split())

"""Check designs in plain Python: nothing here uses the package."""

LEFT, RIGHT = "TGCATTTTTTTCACATC", "GGTTACGGCTGTT"
MEANING = {
    **{base: base for base in "ACGT"},
    **{"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"},
    **{"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
}
OTHER = {"A": "T", "C": "G", "G": "C", "T": "A"}


def other_strand(sequence: str) -> str:
    return "".join(OTHER[base] for base in reversed(sequence))


def places(site: str, sequence: str) -> list[int]:
    """Where an IUPAC site stands on the strand given."""
    ends = range(len(sequence) - len(site) + 1)
    return [at for at in ends if all(sequence[at + i] in MEANING[letter] for i, letter in enumerate(site))]


def longest_run_touching(insert: str) -> int:
    """The longest run of one base of which the insert has at least one."""
    oligo, longest = LEFT + insert + RIGHT, 0
    for first in range(len(oligo)):
        for end in range(first + 1, len(oligo) + 1):
            if len(set(oligo[first:end])) > 1:
                break
            if first < len(LEFT) + len(insert) and end > len(LEFT):
                longest = max(longest, end - first)
    return longest


def faults(insert: str, forbidden=(), gc=None, max_homopolymer=None, no_atg=False) -> list[str]:
    """The names of the constraints that an insert breaks."""
    oligo, found = LEFT + insert + RIGHT, []
    found += [site for site in forbidden if places(site, oligo) or places(site, other_strand(oligo))]
    if gc is not None and not gc[0] <= sum(base in "GC" for base in insert) / len(insert) <= gc[1]:
        found.append("gc")
    if max_homopolymer is not None and longest_run_touching(insert) > max_homopolymer:
        found.append("homopolymer")
    if no_atg and "ATG" in oligo:
        found.append("ATG")
    return found


def differences(first: str, second: str) -> list[int]:
    """Where two sequences of one length differ."""
    assert len(first) == len(second)
    return [at for at in range(len(first)) if first[at] != second[at]]

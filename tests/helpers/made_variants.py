"""A genome with genes, changes of it, and the windows of both alleles, found by slicing whole chromosomes."""

from hypothesis import strategies as st
from made_genome import other_strand, random_bases

from dream_bert.io.genes import Region

BASES = random_bases(1600)
GENOME = {"I": BASES, "Mito": "ACGT" * 10 + "N" + "ACGT" * 30}
GENES = [
    Region("right", "I", 700, 1000, "+"),
    Region("left", "I", 200, 600, "-"),
    Region("far", "I", 1150, 1200, "+"),
]


def windows_by_hand(position: int, ref: str, alt: str, strand: str, step: int) -> list[tuple[str, str]]:
    """The windows of both alleles, found by slicing whole chromosomes of which both have the 3' end in common."""
    begin = position - 1
    before, after = BASES, BASES[:begin] + alt + BASES[begin + len(ref) :]
    start, end = begin, begin + len(ref)
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt, end = ref[:-1], alt[:-1], end - 1
    while ref and alt and ref[0] == alt[0]:
        ref, alt, start = ref[1:], alt[1:], start + 1
    last = end - 1  # as read on the strand
    if strand == "-":
        before, after, last = other_strand(before), other_strand(after), len(BASES) - 1 - start
    pairs = []
    for tail in range(len(BASES)):  # bases behind the window
        first = len(BASES) - tail - 80
        on_grid = (first if strand == "+" else tail) % step == 0
        if on_grid and 0 <= first <= last < first + 80:
            window = after[: len(after) - tail][-80:]
            pairs += [(before[first : first + 80], window)] if len(window) == 80 else []
    return sorted(pairs)


@st.composite
def changes(draw):
    position = draw(st.integers(1, len(BASES) - 90))
    ref = BASES[position - 1 : position - 1 + draw(st.integers(1, 80))]
    alt = draw(st.text("ACGT", min_size=1, max_size=80).filter(lambda alt: alt != ref))
    return position, ref, alt

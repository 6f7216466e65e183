"""Upstreams: the genes that a change may matter to, and how far it is from them."""

import pytest
from hypothesis import given
from made_variants import BASES, GENES, GENOME, changes

from dream_bert.analysis.alleles import Change, read_change
from dream_bert.analysis.upstreams import Upstreams
from dream_bert.io.genome import Genome


@pytest.mark.parametrize(
    ("start", "end", "inserted", "expected"),
    [
        (699, 700, "", [("right", "+", 1), ("left", "-", 100), ("far", "+", 451)]),
        (700, 701, "", [("left", "-", 101), ("far", "+", 450)]),
        (690, 710, "", [("right", "+", 0), ("left", "-", 91), ("far", "+", 441)]),
        (700, 700, "A", [("right", "+", 1), ("left", "-", 101), ("far", "+", 451)]),
        (600, 601, "", [("left", "-", 1), ("right", "+", 100)]),
        (600, 600, "A", [("left", "-", 1), ("right", "+", 101)]),
        (599, 600, "", [("right", "+", 101)]),
        (599, 601, "", [("left", "-", 0), ("right", "+", 100)]),
        (599, 599, "A", [("right", "+", 102)]),
        (200, 201, "", [("right", "+", 500)]),
        (199, 200, "", []),
        (200, 200, "A", []),
        (201, 201, "A", [("right", "+", 500)]),
        (1099, 1100, "", [("far", "+", 51), ("left", "-", 500)]),
        (1100, 1101, "", [("far", "+", 50)]),
        (1149, 1150, "", [("far", "+", 1)]),
        (1150, 1151, "", []),
    ],
)
def test_a_change_has_a_base_in_the_upstream_of_its_genes(start, end, inserted, expected):
    found = Upstreams(GENES, Genome(GENOME), 500).targets("I", Change(start, end, inserted))
    assert [tuple(target) for target in found] == expected


@given(changes())
def test_targets_are_those_of_a_search_through_all_genes(change):
    found = read_change(BASES, *change)
    if isinstance(found, str):
        return
    expected = []
    for gene in GENES:
        first, end = found.place(gene.strand)
        upstream = gene.upstream(300, len(BASES))
        inside = [place for place in range(first, end) if upstream.start <= place < upstream.end]
        reaches = any(gene.start <= place < gene.end for place in range(first, end))
        if inside:
            nearest = min(gene.start - place if gene.strand == "+" else place - gene.end + 1 for place in inside)
            expected.append((gene.name, gene.strand, 0 if reaches else nearest))
    targets = Upstreams(GENES, Genome(GENOME), 300).targets("I", found)
    assert sorted(map(tuple, targets)) == sorted(expected)

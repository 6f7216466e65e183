"""The page's scripts for intervals, windows, comparisons and designs, against plain Python."""

import json
import re
from functools import cache

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from space_site import PAGE, run_in_node

from dream_bert.inference.intervals import half_width
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.sequence.construct import to_oligo
from dream_bert.sequence.orientation import reverse_complement

CALIBRATION = json.loads((DEFAULT_MODEL / "config.json").read_text())["calibration"]


def test_intervals_are_those_of_python():
    predicted = np.random.default_rng(0).uniform(-2, 19, 500).astype(np.float32)
    predicted = np.concatenate([predicted, np.float32(CALIBRATION["expression"])])
    ends = run_in_node(
        """import { interval, LEVELS } from "./intervals.js";
        output = LEVELS.map((level) => input.predicted.map((value) => interval(input.calibration, level, value)));""",
        {"calibration": CALIBRATION, "predicted": predicted.tolist()},
    )
    for level, found in zip((0.5, 0.8, 0.9, 0.95), ends, strict=True):
        half = half_width(CALIBRATION, level)(predicted)
        assert_close(found, np.stack([predicted - half, predicted + half], axis=1), operations=8)


def test_levels_are_those_that_the_calibration_knows():
    ratios = [[], [1.0], [1.0] * 31, [1.0] * 41, [1.0] * 50]
    source = """import { levelsOf } from "./intervals.js"; output = input.map((ratios) => levelsOf({ ratios }));"""
    assert run_in_node(source, ratios) == [[], [50], [50, 80], [50, 80, 90], [50, 80, 90, 95]]


@settings(max_examples=5)
@given(st.lists(st.tuples(st.text("ACGTN", max_size=300), st.integers(1, 120), st.booleans()), min_size=20))
def test_windows_are_slices(many):
    found = run_in_node(
        """import { countWindows, windowsOf } from "./windows.js";
        output = input.map(([bases, ...how]) => [windowsOf(bases, ...how), countWindows(bases.length, ...how)]);""",
        many,
    )
    for (bases, step, both), (windows, count) in zip(many, found, strict=True):
        slices = [(start, bases[start : start + 80]) for start in range(0, len(bases) - 79, step)]
        expected = []
        for start, insert in slices:
            place = {"start": start + 1, "end": start + 80}
            expected.append({**place, "strand": "+", "insert": insert})
            if both:
                expected.append({**place, "strand": "-", "insert": reverse_complement(insert)})
        assert windows == expected and count == len(expected)


# --- two sequences ----------------------------------------------------------------------------------------------


def _fewest_edits(first: str, second: str) -> int:
    """Levenshtein's distance by its definition."""

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        change = distance(i - 1, j - 1) + (first[i - 1] != second[j - 1])
        return min(change, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(first), len(second))


_pairs = st.tuples(st.text("ACGT", max_size=14), st.text("ACGT", max_size=14))


@settings(max_examples=10)
@given(st.lists(_pairs, min_size=20, max_size=60))
def test_differences_turn_the_first_into_the_second_with_the_fewest_edits(pairs):
    found = run_in_node(
        """import { align, differences } from "./differences.js";
        output = input.map((pair) => [align(...pair), differences(align(...pair))]);""",
        pairs,
    )
    for (first, second), (columns, differences) in zip(pairs, found, strict=True):
        assert ("".join(a for a, _ in columns), "".join(b for _, b in columns)) == (first, second)
        if len(first) == len(second):
            assert all(len(a) == len(b) == 1 for a, b in columns)
        else:
            assert sum(a != b for a, b in columns) == _fewest_edits(first, second)
        assert _applied(first, differences) == second


def _applied(sequence: str, differences: list[dict]) -> str:
    for difference in reversed(differences):
        start = difference["position"] - (difference["from"] != "")
        end = start + len(difference["from"])
        assert sequence[start:end] == difference["from"] != difference["to"]
        sequence = sequence[:start] + difference["to"] + sequence[end:]
    return sequence


def test_a_gap_is_not_torn():
    source = 'import { align, differences } from "./differences.js"; output = differences(align(...input));'
    first, second = "ACGTTGACCATGCATTGACA", "ACGTTGACCATTGACA"
    (deletion,) = run_in_node(source, [first, second])
    assert len(deletion["from"]) == 4 and deletion["to"] == ""
    (insertion,) = run_in_node(source, [second, first])
    assert len(insertion["to"]) == 4 and insertion["from"] == ""


# --- sites and designs ------------------------------------------------------------------------------------------

AMBIGUOUS = dict(R="AG", Y="CT", S="CG", W="AT", K="GT", M="AC", B="CGT", D="AGT", H="ACT", V="ACG", N="ACGT")


def _sites(insert: str, sites: list[str]) -> int:
    oligo = to_oligo(insert)
    return sum(
        all(base in AMBIGUOUS.get(code, code) for base, code in zip(oligo[at:], strand, strict=False))
        for site in sites
        for strand in {site, reverse_complement(site)}
        for at in range(len(oligo) - len(strand) + 1)
    )


# Some lie across a border: of ...CACATC before the insert, and of GGTTAC... after it.
SITES = ["CATCAC", "CGGTT", "TTAARG", "TATA", "GWNC", "ATCGC"]


@settings(max_examples=10)
@given(st.lists(st.text("ACGT", min_size=1, max_size=30), min_size=20, max_size=60), st.sets(st.sampled_from(SITES)))
def test_sites_are_counted_on_both_strands_and_across_the_borders(inserts, sites):
    source = """import { countSites, readSites } from "./sites.js";
        output = input.inserts.map((insert) => countSites(insert, readSites(input.text)));"""
    counts = run_in_node(source, {"inserts": inserts, "text": ", ".join(sites).lower()})
    assert counts == [_sites(insert, list(sites)) for insert in inserts]


def test_enzymes_are_those_of_rebase():
    restriction = pytest.importorskip("Bio.Restriction", reason="needs the extra teacher, which brings Biopython")
    enzymes = run_in_node('import { ENZYMES } from "./sites.js"; output = ENZYMES;', None)
    assert len(enzymes) > 10
    assert enzymes == {name: restriction.AllEnzymes.get(name).site for name in enzymes}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BsaI, EcoRX", "'EcoRX' is no enzyme that this page knows, and no sequence; give its recognition sequence"),
        ("GGA-CC", "'GGA-CC' is no enzyme that this page knows, and no sequence; give its recognition sequence"),
        ("tttt", "'tttt' is in the construct's constant bases, which cannot change; leave it out"),
        ("AAAAAA", "'AAAAAA' is in the construct's constant bases, which cannot change; leave it out"),
        ("N", "'N' is in the construct's constant bases, which cannot change; leave it out"),
    ],
)
def test_sites_that_cannot_be_kept_out_are_named(text, message):
    source = """import { readSites } from "./sites.js";
        import { InputError } from "./text.js";
        try { readSites(input); } catch (error) { output = error instanceof InputError && error.message; }"""
    assert run_in_node(source, text) == message


GOALS = {"highest": lambda value: -value, "lowest": lambda value: value, "target": lambda value: abs(value - 40)}


def _greedy(insert: str, value_of, loss, most: int, sites: list[str]) -> list[str]:
    """The inserts that a plain greedy search goes through."""
    path = [insert]
    while len(path) <= most:
        now, left = path[-1], _sites(path[-1], sites)
        tried = [now[:i] + base + now[i + 1 :] for i in range(len(now)) for base in "ACGT" if base != now[i]]
        tried = [other for other in tried if (_sites(other, sites) < left if left else not _sites(other, sites))]
        if not tried:
            break
        best = min(tried, key=lambda other: loss(value_of(other)))
        if not left and loss(value_of(best)) >= loss(value_of(now)):
            break
        path.append(best)
    return path


@settings(max_examples=10)
@given(st.text("ACGT", min_size=4, max_size=16), st.sets(st.sampled_from(SITES)), st.integers(0, 99), st.data())
def test_the_search_is_a_plain_greedy_one(insert, sites, seed, data):
    assume(_sites("", list(sites)) == 0)
    goal, most = data.draw(st.sampled_from(list(GOALS))), data.draw(st.integers(1, 12))
    weights = np.random.default_rng(seed).integers(-9, 10, (len(insert), 4)).tolist()
    found = run_in_node(
        """import { GOALS, search } from "./greedy.js";
        import { readSites } from "./sites.js";
        const { insert, goal, most, sites, weights } = input;
        const value = (bases) => [...bases].reduce((sum, base, i) => sum + weights[i]["ACGT".indexOf(base)], 0);
        const steps = [];
        const end = await search({ insert, expression: value(insert) }, {
          loss: GOALS[goal](40), most, sites: readSites(sites), onStep: (step) => steps.push(step),
          predict: async (inserts) => Float32Array.from(inserts, value),
        });
        output = { steps, end };""",
        {"insert": insert, "goal": goal, "most": most, "sites": " ".join(sites), "weights": weights},
    )

    def value_of(bases: str) -> int:
        return sum(row["ACGT".index(base)] for row, base in zip(weights, bases, strict=True))

    path = _greedy(insert, value_of, GOALS[goal], most, list(sites))
    assert [step["insert"] for step in found["steps"]] == path[1:]
    for number, (before, step) in enumerate(zip(path, found["steps"], strict=False), start=1):
        at = step["position"] - 1
        assert (step["step"], step["from"]) == (number, before[at])
        assert step["insert"] == before[:at] + step["to"] + before[at + 1 :]
        assert (step["expression"], step["sites"]) == (value_of(step["insert"]), _sites(step["insert"], list(sites)))
    assert found["end"] == ("steps" if len(path) == most + 1 else "sites" if _sites(path[-1], list(sites)) else "best")


def test_examples_fit_their_tasks():
    counts = {path.stem: len(re.findall("^>", path.read_text(), re.M)) for path in (PAGE / "examples").iterdir()}
    assert counts == {"windows": 1, "compare": 2, "improve": 1}

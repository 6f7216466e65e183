"""Windows, comparisons, designs and intervals on the built page in headless Chromium, against Python's numbers."""

import json
import re

import numpy as np
import pytest
from space_page import assert_agrees, choose, downloaded, predicted, random_inserts, submit, visited
from space_site import served

from dream_bert.inference.intervals import half_width
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.sequence.construct import to_oligo
from dream_bert.sequence.orientation import reverse_complement

pytestmark = pytest.mark.slow

CALIBRATION = json.loads((DEFAULT_MODEL / "config.json").read_text())["calibration"]


def done(page, section: str) -> None:
    page.wait_for_selector(f"#{section}:not([hidden])")
    page.wait_for_selector("#stop", state="hidden", timeout=120_000)


def numbers(rows: list[list[str]], *columns: int) -> np.ndarray:
    return np.array([[float(row[column]) for column in columns] for row in rows]).squeeze()


def assert_intervals(expression, ends, level: float = 0.9) -> None:
    half = half_width(CALIBRATION, level)(np.float32(expression))
    np.testing.assert_allclose(ends, np.stack([expression - half, expression + half], axis=1), atol=3e-4)


def told(page) -> str:
    """The line that a bad input gets; nothing is shown beside it."""
    assert not [name for name in ("windows", "comparison", "improvement", "results") if page.is_visible(f"#{name}")]
    assert "NaN" not in page.inner_text("body")
    return page.inner_text("#activity")


# --- intervals --------------------------------------------------------------------------------------------------


def test_intervals_follow_their_level(page):
    predicted(page, "\n".join(random_inserts(7)))
    for level in (90, 50, 95):
        page.select_option("#level", str(level))
        _, *rows = downloaded(page)
        assert_intervals(numbers(rows, 1), numbers(rows, 2, 3), level / 100)
        shown = page.locator("#predictions tbody .interval").all_inner_texts()
        ends = [[float(end) for end in text.replace("\u2212", "-").split(" to ")] for text in shown]
        np.testing.assert_allclose(ends, numbers(rows, 2, 3), atol=0.0051)


# --- windows ----------------------------------------------------------------------------------------------------


def scanned(page, text: str, step: str = "10", both: bool = False) -> list[list[str]]:
    choose(page, "windows")
    page.fill("#step", step)
    page.set_checked("#both", both)
    submit(page, text)
    done(page, "windows")
    header, *rows = downloaded(page)
    assert header == ["id", "start", "end", "strand", "expression", "lower", "upper", "note"]
    return rows


def test_windows_are_predictions_of_slices(page, in_python):
    long, other = "".join(random_inserts(4))[:250], "N" * 20 + "".join(random_inserts(2))[:100]
    rows = scanned(page, f">long\n{long}\n>other\n{other}\n>short\nACGT\n", "37", both=True)
    expected = []
    for name, sequence in (("long", long), ("other", other)):
        for start in range(0, len(sequence) - 79, 37):
            window = sequence[start : start + 80]
            expected += [(name, start, "+", window), (name, start, "-", reverse_complement(window))]
    places = [(name, str(start + 1), str(start + 80), strand) for name, start, strand, _ in expected]
    assert [tuple(row[:4]) for row in rows] == places
    assert_agrees(numbers(rows, 4), in_python([window for *_, window in expected]))
    assert_intervals(numbers(rows, 4), numbers(rows, 5, 6))
    notes = ["more than 10 % N" if window.count("N") > 8 else "" for *_, window in expected]
    assert [row[7] for row in rows] == notes and notes.count("") == len(notes) - 2
    assert page.inner_text("#problems ol") == (
        "Line 5 record 'short': the sequence is 4 bp and a window 80 bp; predict it as it is"
    )
    assert page.locator(".profile h3").all_inner_texts() == ["long", "other"]
    assert page.inner_text("#predictions tbody button >> nth=1") == "long:1-80 (-)"


def test_a_window_of_a_window_is_itself(page):
    (insert,) = random_inserts(1)
    ((_, expression, _),) = predicted(page, insert)
    assert [(row[3], row[4]) for row in scanned(page, insert)] == [("+", expression)]
    assert page.inner_text("#predictions tbody button") == "1-80 (+)"
    page.click("#predictions tbody button")
    page.wait_for_selector("#changes:not([hidden])")
    assert page.inner_text("#changes-title") == "Single changes of 0:1-80 (+)"


def test_a_profile_is_read_by_pointer_and_keyboard(page):
    rows = scanned(page, ">long\n" + "".join(random_inserts(3)), "20")
    best = max(rows, key=lambda row: float(row[4]))
    label = page.get_attribute(".plot svg", "aria-label")
    assert label == f"Profile of long: {len(rows)} windows, the highest {best[4]} at {best[1]} to {best[2]} bp"
    described = [f"{row[1]} to {row[2]} bp: {row[4]} (" for row in rows]
    readout = page.locator(".profile output")
    assert readout.inner_text().startswith(described[rows.index(best)])

    page.focus(".profile input")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith(described[1])
    assert page.get_attribute(".profile input", "aria-valuetext") == readout.inner_text()
    box = page.locator(".plot svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    assert readout.inner_text().startswith(described[-1])


@pytest.mark.parametrize(
    ("step", "sequence", "message"),
    [
        ("0", "A" * 99, "Step is '0'; give a whole number from 1 to 10,000"),
        ("2.5", "A" * 99, "Step is '2.5'; give a whole number from 1 to 10,000"),
        ("", "A" * 99, "Step is ''; give a whole number from 1 to 10,000"),
        ("ten", "A" * 99, "Step is 'ten'; give a whole number from 1 to 10,000"),
        ("1", "A" * 30_000, "29,921 windows are too many for this page, which takes 20,000; use the command line"),
        ("10", "A" * 79, "There is nothing to predict"),
        ("10", "", "There is nothing to predict"),
    ],
)
def test_windows_that_cannot_be_are_told(page, step, sequence, message):
    choose(page, "windows")
    page.fill("#step", step)
    submit(page, sequence)
    assert told(page) == message


# --- comparisons ------------------------------------------------------------------------------------------------


def compared(page, first: str, second: str) -> None:
    choose(page, "compare")
    submit(page, f">a\n{first}\n>b\n{second}\n")
    done(page, "comparison")


def test_differences_have_the_effects_of_python(page, in_python):
    (first,) = random_inserts(1)
    second = "".join(
        "ACGT"[("ACGT".index(base) + 1) % 4] if i in (4, 40, 79) else base for i, base in enumerate(first)
    )
    compared(page, first, second)
    header, *rows = downloaded(page, "#download-comparison")
    assert header == ["position", "first", "second", "effect_in_first", "effect_in_second"]
    assert [row[:3] for row in rows] == [[str(i + 1), first[i], second[i]] for i in (4, 40, 79)]
    alone = [first[:i] + second[i] + first[i + 1 :] for i in (4, 40, 79)]
    without = [second[:i] + first[i] + second[i + 1 :] for i in (4, 40, 79)]
    before, after = in_python([first, second])
    np.testing.assert_allclose(numbers(rows, 3), in_python(alone) - before, atol=2e-4)
    np.testing.assert_allclose(numbers(rows, 4), after - in_python(without), atol=2e-4)
    assert page.locator("#alignment mark").all_inner_texts() == [s[i] for i in (4, 40, 79) for s in (first, second)]
    _, *predictions = downloaded(page)
    assert_agrees(numbers(predictions, 1), [before, after])
    heading = page.inner_text("#comparison-title").replace("\u2212", "-")
    assert heading.startswith("b against a: ") and abs(float(heading.split(": ")[1]) - (after - before)) < 3e-4


def test_sequences_of_unequal_length_are_aligned(page):
    (first,) = random_inserts(1)
    compared(page, first, first[:30] + first[35:])
    assert page.locator("#differences tbody tr").count() == 1
    header, (position, deleted, inserted, *effects) = downloaded(page, "#download-comparison")
    assert (len(deleted), inserted, effects) == (5, "", ["", ""])
    assert first[: int(position) - 1] + first[int(position) + 4 :] == first[:30] + first[35:]
    assert not page.is_visible("#differences .effect >> nth=0")


def test_equal_sequences_do_not_differ(page):
    compared(page, "ACGT" * 20, "acgu" * 20)
    assert page.inner_text("#comparison-title") == "b against a: +0.0000"
    assert page.inner_text("#differences-count") == "First: a. Second: b. The sequences are the same."
    assert not page.is_visible("#differences")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ACGT", "There is 1 usable sequence; give 2"),
        ("ACGT\nACGT\nACGT", "There are 3 usable sequences; give 2"),
        ("ACGT\nACXT", "There is 1 usable sequence; give 2"),
        ("", "There are 0 usable sequences; give 2"),
    ],
)
def test_other_than_two_sequences_are_told(page, text, message):
    choose(page, "compare")
    submit(page, text)
    assert told(page) == message


# --- designs ----------------------------------------------------------------------------------------------------


def ask_for(page, insert: str, goal: str, target: str = "12.5", most: str = "3", sites: str = "") -> None:
    choose(page, "improve")
    page.select_option("#goal", goal)
    page.locator("#target").evaluate("(field, value) => (field.value = value)", target)
    page.fill("#most", most)
    page.fill("#sites", sites)
    submit(page, f">p\n{insert}\n")


def sites_in(insert: str, sites: list[str]) -> int:
    oligo = to_oligo(insert)
    return sum(
        len(re.findall(f"(?={strand})", oligo)) for site in sites for strand in {site, reverse_complement(site)}
    )


LOSSES = {"highest": lambda e: -e, "lowest": lambda e: e, "target": lambda e: abs(e - 6.25)}
CLOSE = 3e-4  # what two engines may differ by in a loss


@pytest.mark.parametrize("goal", list(LOSSES))
def test_designs_are_those_of_a_plain_greedy_loop(page, in_python, goal):
    # The insert begins CACC: with the constant ...CACATC before it, that is the site ATCCACC; GAATTC is inside.
    insert, sites = "CACCATGAATTCTGACTTTAACGGTATTGC", ["ATCCACC", "GAATTC", "CATATG"]
    ask_for(page, insert, goal, target="6.25", most="6", sites="EcoRI, ATCCACC ndei")
    done(page, "improvement")
    header, *rows = downloaded(page, "#download-improvement")
    assert header == ["step", "position", "ref", "alt", "expression", "lower", "upper", "sites", "sequence"]
    assert rows[0][8] == insert and rows[0][7] == str(sites_in(insert, sites)) == "2"
    assert rows[-1][7] == "0" and len(rows) > 3

    loss = LOSSES[goal]
    for number, (before, row) in enumerate(zip(rows, rows[1:], strict=False), start=1):
        now, position = before[8], int(row[1]) - 1
        assert row[0] == str(number) and now[position] == row[2]
        assert row[8] == now[:position] + row[3] + now[position + 1 :]
        assert int(row[7]) == sites_in(row[8], sites) < max(1, int(before[7]))
        tried = [now[:i] + base + now[i + 1 :] for i in range(len(now)) for base in "ACGT" if base != now[i]]
        left = sites_in(now, sites)
        tried = [other for other in tried if (sites_in(other, sites) < left if left else not sites_in(other, sites))]
        best = min(loss(value) for value in in_python(tried))
        assert abs(loss(float(row[4])) - best) < CLOSE
        assert left or best < loss(float(before[4])) + CLOSE
    assert_agrees(numbers(rows, 4), in_python([row[8] for row in rows]))
    assert_intervals(numbers(rows, 4), numbers(rows, 5, 6))
    assert page.inner_text("#design") == rows[-1][8]
    assert page.locator("#steps tbody tr").count() == len(rows)


def test_a_search_ends_where_no_change_is_better(page):
    ask_for(page, "ACGTACGT", "lowest", most="40")
    done(page, "improvement")
    assert page.inner_text("#improvement-end") == "No further single change comes closer to the goal."
    assert page.inner_text("#improvement-note") == "⚠ shorter than 72 bp"
    assert page.locator("#steps tbody tr").count() < 41


def test_a_search_can_be_stopped_and_keeps_its_steps(page):
    ask_for(page, random_inserts(1)[0], "highest", most="40")
    page.wait_for_selector("#steps tbody tr >> nth=1")
    page.click("#stop")
    page.locator("#activity", has_text="Stopped").wait_for()
    assert page.inner_text("#improvement-end") == "The search was stopped."
    assert not page.is_visible("#improvement-note")
    count = page.locator("#steps tbody tr").count()
    _, *rows = downloaded(page, "#download-improvement")
    assert 2 <= len(rows) == count < 41
    assert len(predicted_after(page)) == 1
    assert not page.is_visible("#improvement")


def predicted_after(page) -> list:
    choose(page, "predict")
    return predicted(page, "ACGT")


def test_what_follows_a_search_is_told_and_not_that_it_was_stopped(page):
    ask_for(page, random_inserts(1)[0], "highest", most="40")
    page.wait_for_selector("#steps tbody tr")
    submit(page, "")
    page.wait_for_timeout(100)
    assert told(page) == "There are 0 usable sequences; give 1"
    assert not page.is_visible("#stop") and not page.is_visible("#progress")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(goal="target", target="high"), "Target is 'high'; give a number from 0 to 17"),
        (dict(goal="target", target="18"), "Target is '18'; give a number from 0 to 17"),
        (dict(goal="target", target="1e999"), "Target is '1e999'; give a number from 0 to 17"),
        (dict(goal="highest", most="0"), "The number of changes is '0'; give a whole number from 1 to 40"),
        (dict(goal="highest", sites="EcoRY"), "'EcoRY' is no enzyme that this page knows, and no sequence; "),
        (dict(goal="lowest", sites="TTTT"), "'TTTT' is in the construct's constant bases, which cannot change; "),
        (dict(goal="lowest", insert="ACGNT"), "Base 4 of the insert is N; give A, C, G and T alone"),
        (dict(goal="lowest", insert="ACGT\n>q\nACGT"), "There are 2 usable sequences; give 1"),
        (dict(goal="lowest", insert=""), "There are 0 usable sequences; give 1"),
    ],
)
def test_designs_that_cannot_be_are_told(page, given, message):
    ask_for(page, **{"insert": "ACGT" * 5, **given})
    assert told(page).startswith(message)


# --- all tasks --------------------------------------------------------------------------------------------------


def test_the_tasks_are_chosen_by_keyboard_and_have_examples(page):
    page.focus("[name=task]:checked")
    for task, section in (("windows", "windows"), ("compare", "comparison"), ("improve", "improvement")):
        page.focus("[name=task]:checked")
        page.keyboard.press("ArrowRight")
        assert page.locator("[name=task]:checked").get_attribute("value") == task
        page.fill("#sequences", "")
        page.click("#examples")
        while not page.input_value("#sequences"):
            page.wait_for_timeout(20)
        page.focus("#sequences")
        page.keyboard.press("Control+Enter")
        done(page, section)
        assert page.evaluate("document.activeElement.id") == f"{section}-title"
        unnamed = page.locator("input:visible, select:visible").evaluate_all(
            "(fields) => fields.filter((field) => !field.labels.length && !field.ariaLabel).length"
        )
        assert unnamed == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_task_scrolls_sideways_on_a_phone(chromium, dist, scheme):
    with (
        served(dist) as site,
        visited(chromium, site, viewport={"width": 390, "height": 844}, color_scheme=scheme) as page,
    ):
        name = "a_name_without_any_break_" * 4
        long, (first, second) = "".join(random_inserts(3)), random_inserts(2)
        scanned(page, f">{name}\n{long}\n>b\n{long}\n", both=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        compared(page, first, second)
        wide = max(wide, page.evaluate("document.documentElement.scrollWidth"))
        ask_for(page, first[:20], "highest", sites="BsaI")
        done(page, "improvement")
        assert max(wide, page.evaluate("document.documentElement.scrollWidth")) == 390

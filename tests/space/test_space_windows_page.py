"""Intervals, windows and comparisons on the built page in headless Chromium, against Python's numbers."""

import numpy as np
import pytest
from space_page import (
    assert_agrees,
    assert_intervals,
    choose,
    compared,
    downloaded,
    numbers,
    predicted,
    random_inserts,
    scanned,
    submit,
    told,
)

from dream_bert.sequence.orientation import reverse_complement

pytestmark = pytest.mark.slow


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

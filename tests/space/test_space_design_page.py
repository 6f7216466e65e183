"""Designs, and what all tasks have, on the built page in headless Chromium, against Python's numbers."""

import re

import pytest
from space_page import (
    assert_agrees,
    assert_intervals,
    choose,
    compared,
    done,
    downloaded,
    numbers,
    predicted,
    random_inserts,
    scanned,
    scrolling_sideways,
    submit,
    told,
    visited,
)
from space_site import served

from dream_bert.sequence.construct import to_oligo
from dream_bert.sequence.orientation import reverse_complement

pytestmark = pytest.mark.slow


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
    page.locator("#most").evaluate("(field) => (field.value = '1')")
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


def test_only_the_heat_map_scrolls_sideways_on_a_phone(chromium, dist):
    phone = {"width": 390, "height": 844}
    with served(dist) as site, visited(chromium, site, viewport=phone) as page:
        name = "a_name_without_any_break_" * 4
        long, (first, second) = "".join(random_inserts(3)), random_inserts(2)
        scanned(page, f">{name}\n{long}\n>b\n{long}\n", "40", both=True)
        assert not scrolling_sideways(page)
        compared(page, first, second)
        assert not scrolling_sideways(page)
        ask_for(page, first[:20], "highest", most="1", sites="BsaI")
        done(page, "improvement")
        assert not scrolling_sideways(page)
        choose(page, "predict")
        predicted(page, first)
        page.click("#predictions tbody button")
        page.wait_for_selector("#changes:not([hidden])")
        assert scrolling_sideways(page) == ["heatmap"]

"""Predictions on the built page in headless Chromium: the numbers are Python's, and nothing leaves the origin."""

import re

import pytest
from space_page import (
    assert_agrees,
    downloaded,
    expression_of,
    predicted,
    random_inserts,
    scrolling_sideways,
    submit,
    visited,
)
from space_site import LONGEST, served

from dream_bert.sequence.construct import OLIGO_END, OLIGO_START
from dream_bert.sequence.orientation import reverse_complement

pytestmark = pytest.mark.slow


def test_predictions_are_those_of_python(page, in_python):
    inserts = [*random_inserts(8), *random_inserts(6, 1, LONGEST), "A", "NN", "ACGRYN" * 5, "ACGU" * 20]
    rows = predicted(page, "".join(f">p{i} promoter\n{insert}\n" for i, insert in enumerate(inserts)))
    assert [id for id, _, _ in rows] == [f"p{i}" for i in range(len(inserts))]
    assert_agrees(expression_of(rows), in_python([i.replace("U", "T") for i in inserts]))
    shown = page.locator("#predictions .value").all_inner_texts()
    assert shown == [expression for _, expression, _ in rows]
    assert all(re.fullmatch(r"-?\d+\.\d{4}", expression) for expression in shown)


def test_an_oligo_is_its_insert(page):
    (insert,) = random_inserts(1)
    rows = predicted(page, f"{insert}\n{OLIGO_START}{insert}{OLIGO_END}\n{OLIGO_START.lower()}{insert}\n")
    assert len({expression for _, expression, _ in rows}) == 1


def test_what_the_model_was_not_trained_on_is_marked(page):
    inserts = [
        "ACGT" * 17 + "ACG",
        "ACGT" * 18,
        "ACGT" * 22,
        "ACGT" * 22 + "A",
        "N" * 9 + "A" * 71,
        "RY" * 4 + "A" * 72,
    ]
    rows = predicted(page, "\n".join(inserts))
    notes = [note for _, _, note in rows]
    assert notes == ["shorter than 72 bp", "", "", "longer than 88 bp", "more than 10 % N", ""]
    assert page.inner_text("#marks") == "⚠ 3 notes on 6 predictions"
    marks = page.locator("#predictions tbody tr").evaluate_all(
        "(rows) => rows.map((row) => row.querySelector('.mark')?.textContent ?? '')"
    )
    assert marks == [note and f"⚠ {note}" for note in notes]
    predicted(page, inserts[1])
    assert not page.is_visible("#marks")


def test_an_oligo_that_is_not_as_it_should_be_is_told_and_read_if_wanted(page):
    (insert,) = random_inserts(1)
    oligo = OLIGO_START + insert + OLIGO_END
    changed = "A" + oligo[1:60] + oligo[60:-3] + "AAA"
    long = f"{'ACGT' * 8}{oligo}"  # without its end 129 bp: more than the model reads
    predicted(page, f"{insert}\n{oligo}\n")
    assert not page.is_visible("#oligos")

    rows = predicted(page, "\n".join([insert, reverse_complement(oligo), changed, f"CA{oligo}", long]))
    assert [note for _, _, note in rows] == [
        "",
        "oligo on the other strand; longer than 88 bp",
        "changed oligo constant; longer than 88 bp",
        "bases outside of the oligo; longer than 88 bp",
    ]
    assert page.inner_text("#oligos-count").startswith("4 oligos on the other strand")
    assert page.inner_text("#problems h2") == "1 of 5 records cannot be scored and are left out"

    page.check("#orient")
    page.wait_for_selector("#results:not([hidden])")
    assert not page.is_visible("#problems")
    assert page.evaluate("document.activeElement.id") == "orient"
    _, *rows = downloaded(page)
    assert [note for *_, note in rows] == [
        "",
        "read on the other strand",
        "changed oligo constant cut off",
        "bases outside of the oligo cut off",
        "bases outside of the oligo cut off",
    ]
    assert len({expression for _, expression, *_ in rows}) == 1


def test_names_are_text_and_come_back_from_the_file(page):
    names = ["a<b>c", "<img/src=x>", 'say"so"', "=1+1", "\x1b[31mred", "u", "u"]
    rows = predicted(page, "".join(f">{name}\nACGT\n" for name in names))
    assert [id for id, _, _ in rows] == names
    assert page.locator("#predictions tbody th button").all_text_contents() == names

    names = ["two\nlines", "a\ttab", " =A1"]
    rows = predicted(page, "id,seq\n" + "".join(f'"{name}",{"ACGT" * 20}\n' for name in names))
    assert [id for id, _, _ in rows] == [name.strip() for name in names]


def test_more_promoters_than_a_page_of_the_table(page, in_python):
    inserts = random_inserts(120, 4, 8)  # short ones, so that the test is
    rows = predicted(page, "\n".join(inserts))
    assert [id for id, _, _ in rows] == [str(i) for i in range(120)]
    assert_agrees(expression_of(rows[::10]), in_python(inserts[::10]))

    assert page.locator("#predictions tbody tr").count() == 50
    page.click("text=Next")
    assert page.inner_text("#pages span") == "Page 2 of 3"
    assert page.inner_text("#predictions tbody th button >> nth=0") == "50"
    page.click("[data-sort=expression]")
    assert page.get_attribute("th[aria-sort]", "aria-sort") == "descending"
    shown = page.locator("#predictions .value").all_inner_texts()
    assert [float(text) for text in shown] == sorted(expression_of(rows), reverse=True)[:50]


def test_single_changes_are_predictions_of_the_mutants(page):
    (insert,) = random_inserts(1, 20, 20)
    ((_, reference, _),) = predicted(page, f">p\n{insert}\n")
    page.click("#predictions tbody button")
    page.wait_for_selector("#changes:not([hidden])")
    assert page.locator(".heatmap .raises, .heatmap .lowers").count() == 3 * 20
    assert page.locator(".heatmap .same").count() == 20

    header, *changes = downloaded(page, "#download-changes")
    assert header == ["position", "ref", "alt", "expression", "effect"] and len(changes) == 60
    mutants = []
    for position, ref, alt, expression, effect in changes:
        at = int(position) - 1
        assert insert[at] == ref != alt
        assert float(effect) == pytest.approx(float(expression) - float(reference), abs=1.1e-4)  # of rounded numbers
        mutants.append(insert[:at] + alt + insert[at + 1 :])
    shown = [page.inner_text(f"#{name} li >> nth=0") for name in ("best", "worst")]
    strongest = [extreme(changes, key=lambda change: float(change[4])) for extreme in (max, min)]
    assert [text.split(":")[0] for text in shown] == [f"{ref}{position}{alt}" for position, ref, alt, *_ in strongest]

    assert_agrees(expression_of(predicted(page, "\n".join(mutants))), [float(row[3]) for row in changes])


def test_the_keyboard_is_enough(page):
    page.focus("#sequences")
    page.keyboard.type(">p1\nACGTACGT\n>p2\nTTTTACGT")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#results:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "results-title"
    while page.evaluate("document.activeElement.textContent") != "p2":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#changes:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "changes-title"
    page.keyboard.press("Tab")  # to the download
    page.keyboard.press("Tab")  # to the map, at A1
    assert page.inner_text("#readout").startswith("T1A: ")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#readout").startswith("T8C: ")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")  # comes back to where it was
    assert page.inner_text("#readout").startswith("T8C: ")


def test_a_run_can_be_stopped(page):
    submit(page, "\n".join(random_inserts(2000)))
    page.click("#stop")
    page.locator("#activity", has_text="Stopped").wait_for()
    assert not page.is_visible("#results")
    assert len(predicted(page, "ACGT")) == 1


def test_the_page_works_without_isolation_and_on_a_phone(chromium, dist, in_python):
    (insert,) = random_inserts(1)
    long_name = "a_name_without_any_break_" * 4
    phone = dict(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
    with served(dist, isolated=False) as site, visited(chromium, site, **phone) as page:
        assert not page.evaluate("crossOriginIsolated")
        oligo = reverse_complement(OLIGO_START + insert + OLIGO_END)
        rows = predicted(page, f">p\n{insert[:20]}\n>{long_name}\n{oligo}\n>\nX\n")
        assert_agrees(expression_of(rows[:1]), in_python([insert[:20]]))
        assert not scrolling_sideways(page)
        page.click("#predictions tbody button")
        page.tap(".heatmap tbody td >> nth=0")
        assert page.inner_text("#readout").startswith(f"{insert[0]}1A" if insert[0] != "A" else "p:")
        assert set(scrolling_sideways(page)) <= {"heatmap"}


def test_a_model_that_cannot_be_loaded_is_told(chromium, site):
    page = chromium.new_page()
    page.route("**/model_int8.onnx", lambda route: route.fulfill(status=404))
    page.goto(site)
    page.wait_for_selector("text=The model could not be loaded (model/model_int8.onnx: 404")
    page.close()

"""Masked tokens are chosen and replaced as the method says, and how many can be guessed."""

from itertools import groupby

import numpy as np
import pytest
from masked_batches import EPOCHS, LAYOUTS, clear_ids, insert_columns
from scipy import stats

from dream_bert.data.batches import IGNORED, MaskedLMBatches, best_random_accuracy
from dream_bert.errors import DataError
from dream_bert.sequence.encoding import MASK, longest_insert


@pytest.mark.parametrize("layout", LAYOUTS)
def test_under_the_mask_is_the_encoded_row(masked, layout, mlm_rows, reference_ids):
    batches, large = masked[layout]
    stride, context = layout
    ids, _ = clear_ids(large)
    frames = []
    for number in range(0, len(ids), 7):
        insert = mlm_rows[number % len(batches)][0]
        row = ids[number][large["attention_mask"][number] > 0].tolist()
        expected = [reference_ids(insert, stride, context, frame) for frame in range(3 if stride == 3 else 1)]
        frames.append(expected.index(row))
        assert not ids[number][len(row) :].any()
    if stride == 3:
        assert stats.chisquare(np.bincount(frames, minlength=3)).pvalue > 1e-3


def test_a_row_takes_all_its_frames_over_the_epochs(masked, mlm_rows, reference_ids):
    batches, large = masked[3, 30]
    ids, _ = clear_ids(large)
    insert = mlm_rows[11][0]
    first = [tuple(ids[11 + epoch * len(batches)][11:13]) for epoch in range(EPOCHS)]
    starts = [tuple(reference_ids(insert, 3, 30, frame)[11:13]) for frame in range(3)]
    assert set(first) == set(starts)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_tokens_of_the_insert_are_predicted(masked, layout):
    _, large = masked[layout]
    ids, predicted = clear_ids(large)
    for row, columns in enumerate(insert_columns(large, *layout)):
        assert np.isin(np.flatnonzero(predicted[row]), columns).all()
        outside = np.setdiff1d(np.arange(ids.shape[1]), columns)
        assert MASK not in large["input_ids"][row][outside]
    assert (ids[predicted] > MASK).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_fractions_masked_random_and_kept(masked, layout):
    stride, _ = layout
    _, large = masked[layout]
    ids, predicted = clear_ids(large)
    tokens = sum(map(len, insert_columns(large, *layout)))
    assert predicted.sum() / tokens == pytest.approx(0.15, abs=0.008)
    read = large["input_ids"][predicted]
    hidden, kept = read == MASK, read == ids[predicted]
    # Of the random ones 1 in 125 reads itself. Runs share their fate, so their tokens count for fewer.
    slack = 0.012 if stride == 3 else 0.03
    assert hidden.mean() == pytest.approx(0.8, abs=slack)
    assert kept.mean() == pytest.approx(0.1 + 0.1 / 125, abs=slack)
    drawn = read[~hidden & ~kept]
    assert drawn.min() >= 5
    assert stats.chisquare(np.bincount(drawn - 5, minlength=125)).pvalue > 1e-3


def test_every_token_of_stride_3_is_as_likely(masked):
    _, large = masked[3, 30]
    predicted = large["labels"] != IGNORED
    places = [0] * 26
    for row, columns in zip(predicted, insert_columns(large, 3, 30), strict=True):
        if len(columns) >= 26:
            places = np.add(places, row[columns[:26]])
    assert stats.chisquare(places).pvalue > 1e-3


@pytest.mark.parametrize("place", [0, 1, 10, 76, 77])
def test_every_overlapping_token_is_as_likely(masked, place):
    _, large = masked[1, 30]
    rows = insert_columns(large, 1, 30)
    here = [large["labels"][row, columns[place]] != IGNORED for row, columns in enumerate(rows) if len(columns) == 78]
    assert len(here) > 1000
    assert stats.binomtest(sum(here), len(here), 0.15).pvalue > 1e-4


@pytest.mark.parametrize("context", [0, 30])
def test_overlapping_tokens_are_masked_in_runs(masked, context):
    _, large = masked[1, context]
    runs = []
    for row, columns in enumerate(insert_columns(large, 1, context)):
        predicted = large["labels"][row, columns] != IGNORED
        for is_run, places in groupby(range(len(columns)), key=predicted.__getitem__):
            places = list(places)
            if is_run:
                runs.append((row, columns[places], places[0] == 0, places[-1] == len(columns) - 1))
    inner = [(row, columns) for row, columns, at_start, at_end in runs if not (at_start or at_end)]
    assert len(inner) > 500 and all(len(columns) >= 5 for _, columns in inner)
    fates = []
    for row, columns in inner:
        if len(columns) > 5:  # several runs that touch
            continue
        read, label = large["input_ids"][row, columns], large["labels"][row, columns]
        hidden, kept = read == MASK, read == label
        assert hidden.all() or not hidden.any()
        fates.append("masked" if hidden.all() else "kept" if kept.all() else "random")
        assert fates[-1] != "random" or kept.sum() <= 2
    counts = [fates.count(fate) for fate in ("masked", "kept", "random")]
    assert stats.chisquare(counts, np.array([0.8, 0.1, 0.1]) * len(fates)).pvalue > 1e-3


class LongestRows:
    """Rows of one insert, as long as the model has positions for."""

    stage = "mlm"

    def __init__(self, config):
        self.insert = "A" * longest_insert(config)
        self.manifest, self.folder = {"insert_length": {"longest": len(self.insert)}}, "prepared"

    def __len__(self):
        return 60

    def rows(self, indices):
        return [self.insert] * len(indices), np.zeros(len(indices), dtype=np.float32)


@pytest.mark.parametrize("stride", [1, 3])
def test_the_longest_insert_fits_the_positions_in_any_frame(tiny_config, stride):
    config = tiny_config(stride=stride, context=0, max_position_embeddings=36)
    batch = MaskedLMBatches(LongestRows(config), config).__getitems__(range(60))
    assert batch["input_ids"].shape[1] == 36


def test_rows_longer_than_the_positions_are_refused(tiny_config):
    rows = LongestRows(tiny_config(stride=1, context=0, max_position_embeddings=37))
    with pytest.raises(DataError, match="37 bp.*35 bp"):
        MaskedLMBatches(rows, tiny_config(stride=1, context=0, max_position_embeddings=35))


@pytest.mark.parametrize("context", [0, 30])
def test_best_accuracy_of_overlapping_tokens(masked, context):
    _, large = masked[1, context]
    rows = slice(0, 300)
    ids = large["input_ids"][rows]
    expected = []
    for row, columns in zip(ids, insert_columns(large, 1, context)[rows], strict=True):
        bases = {place: {place, place + 1, place + 2} for place in range(len(columns))}
        known = set().union(*(bases[place] for place in bases if row[columns[place]] != MASK))
        expected += [4.0 ** -len(bases[place] - known) for place in bases if row[columns[place]] == MASK]
    accuracy = best_random_accuracy(ids, 1, context)
    assert accuracy.shape == ((ids == MASK).sum(),) and accuracy.dtype == np.float64
    np.testing.assert_allclose(accuracy, expected)
    assert len(set(expected)) > 3


@pytest.mark.parametrize("context", [0, 30])
def test_best_accuracy_of_tokens_side_by_side(masked, context):
    _, large = masked[3, context]
    accuracy = best_random_accuracy(large["input_ids"], 3, context)
    np.testing.assert_array_equal(accuracy, np.full((large["input_ids"] == MASK).sum(), 1 / 64))

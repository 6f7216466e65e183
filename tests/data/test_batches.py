"""Batches: what a row becomes depends on seed, epoch and row alone, and is masked as the method says."""

from itertools import groupby

import numpy as np
import pytest
import torch
from accelerate.data_loader import prepare_data_loader, skip_first_batches
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.utils.data import DataLoader

from dream_bert.data.batches import IGNORED, MaskedLMBatches, RegressionBatches, best_random_accuracy
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.sampler import EpochSampler, follow_epochs
from dream_bert.errors import DataError
from dream_bert.sequence.encoding import MASK, VOCABULARY, context_ids, encode, longest_insert

LAYOUTS = [(1, 0), (1, 30), (3, 0), (3, 30)]
EPOCHS = 8


def insert_of(rows, row):
    return rows[row][0]


@pytest.fixture(scope="module")
def mlm_rows(prepared):
    return PromoterDataset(prepared, "mlm", "train")


@pytest.fixture(scope="module")
def regression_rows(prepared):
    return PromoterDataset(prepared, "regression", "train")


@pytest.fixture(scope="module")
def masked(mlm_rows, tiny_config):
    """Batches of a layout, and one large batch of several epochs as arrays."""
    made = {}
    for stride, context in LAYOUTS:
        batches = MaskedLMBatches(mlm_rows, tiny_config(stride=stride, context=context), seed=5)
        large = batches.__getitems__(range(EPOCHS * len(batches)))
        made[stride, context] = batches, {name: value.numpy() for name, value in large.items()}
    return made


def clear_ids(arrays):
    """The ids as they were before masking, and where tokens are predicted."""
    predicted = arrays["labels"] != IGNORED
    return np.where(predicted, arrays["labels"], arrays["input_ids"]), predicted


def insert_columns(arrays, stride, context):
    """Per row, the columns of its insert's tokens."""
    before = 1 + len(context_ids(stride, context)[0])
    return [np.arange(before, length - before) for length in arrays["attention_mask"].sum(1)]


# --- order ------------------------------------------------------------------------------------------------------


@given(st.integers(1, 200), st.integers(0, 2**32), st.integers(0, 50))
def test_every_epoch_has_every_row_once(rows, seed, epoch):
    sampler = EpochSampler(rows, seed)
    sampler.set_epoch(epoch)
    numbers = list(sampler)
    assert sorted(numbers) == list(range(epoch * rows, (epoch + 1) * rows))
    assert len(sampler) == rows and all(type(number) is int for number in numbers)


def test_order_depends_only_on_seed_and_epoch():
    def order(seed, epoch):
        sampler = EpochSampler(100, seed)
        sampler.set_epoch(epoch)
        assert list(sampler) == list(sampler)
        return tuple(number % 100 for number in sampler)

    orders = {(seed, epoch): order(seed, epoch) for seed in range(4) for epoch in range(4)}
    assert len(set(orders.values())) == 16
    assert all(order(*key) == value for key, value in orders.items())


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_resumed_epoch_has_exactly_the_rows_that_are_left(regression_rows, tiny_config, processes):
    rows = RegressionBatches(regression_rows, tiny_config())

    def loader(process):
        sampler = EpochSampler(len(rows), seed=4, multiple=16 * processes)
        loader = DataLoader(rows, batch_size=16, sampler=sampler, collate_fn=lambda batch: batch)
        return follow_epochs(
            prepare_data_loader(loader, num_processes=processes, process_index=process, put_on_device=False)
        )

    everything = []
    for process in range(processes):
        unbroken = loader(process)
        unbroken.set_epoch(2)
        whole = list(unbroken)
        everything += [label for batch in whole for label in batch["labels"].tolist() if label != IGNORED]
        for done in (1, len(whole) - 1):
            resumed = skip_first_batches(loader(process), done)  # as Trainer does
            resumed.set_epoch(2)
            for one, other in zip(list(resumed), whole[done:], strict=True):
                assert all(torch.equal(one[name], other[name]) for name in other)
    assert sorted(everything) == sorted(regression_rows.rows(np.arange(len(rows)))[1].tolist())


# --- expression -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [dict(stride=1, context=0), dict(stride=3, context=30, reading_frames=3), {}])
def test_regression_batches_are_encoded_rows(regression_rows, promoters, tiny_config, layout):
    config = tiny_config(**layout)
    batches = RegressionBatches(regression_rows, config)
    assert len(batches) == len(regression_rows) == len(promoters) - 40
    rows = [3, 199, 0, 3, 77]
    batch = batches.__getitems__([row + 6 * len(batches) for row in rows])  # of the seventh epoch
    inserts = [insert_of(regression_rows, row) for row in rows]
    for name, expected in encode(inserts, config).items():
        np.testing.assert_array_equal(batch[name], expected)
        assert batch[name].dtype == torch.int64
    assert batch["labels"].dtype == torch.float32
    np.testing.assert_array_equal(batch["labels"], np.float32([promoters[insert] for insert in inserts]))


def shown(batch):
    """The text of each row of stride 1 without context, and its label."""
    lengths = batch["attention_mask"].sum(1)
    for ids, length, label in zip(batch["input_ids"], lengths, batch["labels"].tolist(), strict=True):
        kmers = [VOCABULARY[i] for i in ids[1 : length - 1]]
        yield kmers[0][0] + "".join(kmer[1] for kmer in kmers) + kmers[-1][2], label


def test_a_fraction_of_the_rows_is_degraded(regression_rows, tiny_config, promoters):
    batches = RegressionBatches(regression_rows, tiny_config(stride=1, context=0), seed=3, partial_rows=0.4)
    numbers = range(40 * len(batches))
    pieces, blanks, wholes = [], [], 0
    for number, (text, label) in zip(numbers, shown(batches.__getitems__(numbers)), strict=True):
        insert = insert_of(regression_rows, number % len(batches))
        assert label == np.float32(promoters[insert])
        piece = text.rstrip("N") if len(text) == 3 else text  # one or two bases are filled up with N
        if text == insert:
            wholes += 1
        elif piece in insert:
            pieces.append((len(piece) / len(insert), insert.index(piece) / (len(insert) - len(piece))))
        else:
            assert len(text) == len(insert)
            assert all(base in (letter, "N") for base, letter in zip(text, insert, strict=True))
            blanks.append(text.count("N") / len(text))
    assert wholes / len(numbers) == pytest.approx(0.6, abs=0.02)
    assert len(pieces) / len(numbers) == pytest.approx(0.2, abs=0.02)
    for sizes in (np.array(pieces)[:, 0], blanks):
        np.testing.assert_allclose(np.quantile(sizes, [0, 0.25, 0.5, 0.75, 1]), [0, 0.25, 0.5, 0.75, 1], atol=0.05)
    starts = np.array([start for size, start in pieces if 0.2 < size < 0.8])
    np.testing.assert_allclose(np.quantile(starts, [0, 0.25, 0.5, 0.75, 1]), [0, 0.25, 0.5, 0.75, 1], atol=0.05)


def test_degrading_depends_only_on_seed_epoch_and_row(regression_rows, tiny_config):
    def texts(numbers, seed=3):
        batches = RegressionBatches(regression_rows, tiny_config(stride=1, context=0), seed, partial_rows=1)
        return [text for text, _ in shown(batches.__getitems__(numbers))]

    whole = texts(range(60))
    assert texts([7, 59, 7, 0]) == [whole[7], whole[59], whole[7], whole[0]]
    assert texts(range(60), seed=4) != whole
    assert texts(range(len(regression_rows), len(regression_rows) + 60)) != whole


@pytest.mark.parametrize("kind", [RegressionBatches, MaskedLMBatches])
@pytest.mark.parametrize("limit, length", [(None, 220), (10, 10), (1000, 220)])
def test_a_limit_leaves_the_first_rows(mlm_rows, tiny_config, kind, limit, length):
    batches = kind(mlm_rows, tiny_config(), limit=limit)
    whole = kind(mlm_rows, tiny_config())
    assert len(batches) == length
    for name, value in batches[length - 1].items():
        assert torch.equal(value, whole[length - 1][name])


def test_one_epoch_visits_every_row(regression_rows, tiny_config, promoters):
    batches = RegressionBatches(regression_rows, tiny_config())
    sampler = EpochSampler(len(batches), seed=0)
    sampler.set_epoch(3)
    loader = DataLoader(batches, batch_size=32, sampler=sampler, collate_fn=lambda batch: batch)
    labels = np.concatenate([batch["labels"] for batch in loader])
    np.testing.assert_array_equal(np.sort(labels), np.sort(regression_rows.rows(np.arange(len(batches)))[1]))


# --- masked language modelling: one row, one outcome ------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_masking_does_not_depend_on_the_batch(masked, layout):
    batches, large = masked[layout]
    draw = np.random.default_rng(0)
    numbers = draw.permutation(EPOCHS * len(batches))[:60].tolist() + [5, 5]
    for start in range(0, len(numbers), 7):
        some = numbers[start : start + 7]
        batch = batches.__getitems__(some)
        length = batch["input_ids"].shape[1]
        for name, value in batch.items():
            np.testing.assert_array_equal(value, large[name][some][:, :length])
        assert not large["attention_mask"][some][:, length:].any()


def test_masking_is_the_same_in_worker_processes(masked):
    batches, large = masked[3, 30]
    sampler = EpochSampler(len(batches), seed=1)
    sampler.set_epoch(2)
    loader = DataLoader(batches, batch_size=50, sampler=sampler, num_workers=2, collate_fn=lambda batch: batch)
    numbers = np.array(list(sampler))
    for start, batch in zip(range(0, len(numbers), 50), loader, strict=True):
        length = batch["input_ids"].shape[1]
        for name, value in batch.items():
            np.testing.assert_array_equal(value, large[name][numbers[start : start + 50]][:, :length])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_masking_differs_by_epoch_and_seed(masked, layout, mlm_rows):
    batches, large = masked[layout]
    rows = len(batches)
    other = MaskedLMBatches(mlm_rows, batches.config, seed=6).__getitems__(range(rows))
    first = large["labels"][:rows]
    for that in (large["labels"][rows : 2 * rows], other["labels"].numpy()):
        width = min(first.shape[1], that.shape[1])
        same = (first[:, :width] == that[:, :width]).all(1)
        assert same.mean() < 0.2  # short rows may have nothing masked twice


# --- masked language modelling: what is masked ------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_under_the_mask_is_the_encoded_row(masked, layout, mlm_rows, reference_ids):
    batches, large = masked[layout]
    stride, context = layout
    ids, _ = clear_ids(large)
    frames = []
    for number in range(0, len(ids), 7):
        insert = insert_of(mlm_rows, number % len(batches))
        row = ids[number][large["attention_mask"][number] > 0].tolist()
        expected = [reference_ids(insert, stride, context, frame) for frame in range(3 if stride == 3 else 1)]
        frames.append(expected.index(row))
        assert not ids[number][len(row) :].any()
    if stride == 3:
        assert stats.chisquare(np.bincount(frames, minlength=3)).pvalue > 1e-3


def test_a_row_takes_all_its_frames_over_the_epochs(masked, mlm_rows, reference_ids):
    batches, large = masked[3, 30]
    ids, _ = clear_ids(large)
    insert = insert_of(mlm_rows, 11)
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


# --- the accuracy that masking allows ---------------------------------------------------------------------------


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

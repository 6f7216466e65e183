"""Batches of expression are encoded rows, of which a fraction is degraded."""

import numpy as np
import pytest
import torch

from dream_bert.data.batches import MaskedLMBatches, RegressionBatches
from dream_bert.sequence.encoding import VOCABULARY, encode


@pytest.mark.parametrize("layout", [dict(stride=1, context=0), dict(stride=3, context=30, reading_frames=3), {}])
def test_regression_batches_are_encoded_rows(regression_rows, promoters, tiny_config, layout):
    config = tiny_config(**layout)
    batches = RegressionBatches(regression_rows, config)
    assert len(batches) == len(regression_rows) == len(promoters) - 40
    rows = [3, 199, 0, 3, 77]
    batch = batches.__getitems__([row + 6 * len(batches) for row in rows])  # of the seventh epoch
    inserts = [regression_rows[row][0] for row in rows]
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
        insert = regression_rows[number % len(batches)][0]
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

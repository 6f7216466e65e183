"""Masking depends on seed, epoch and row alone."""

import numpy as np
import pytest
from masked_batches import EPOCHS, LAYOUTS
from torch.utils.data import DataLoader

from dream_bert.data.batches import MaskedLMBatches
from dream_bert.data.sampler import EpochSampler


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

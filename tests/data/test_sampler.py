"""The order of rows depends on seed and epoch alone, and a resumed epoch has those that are left."""

import numpy as np
import pytest
import torch
from accelerate.data_loader import prepare_data_loader, skip_first_batches
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from dream_bert.data.batches import IGNORED, RegressionBatches
from dream_bert.data.sampler import EpochSampler, follow_epochs


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


def test_one_epoch_visits_every_row(regression_rows, tiny_config, promoters):
    batches = RegressionBatches(regression_rows, tiny_config())
    sampler = EpochSampler(len(batches), seed=0)
    sampler.set_epoch(3)
    loader = DataLoader(batches, batch_size=32, sampler=sampler, collate_fn=lambda batch: batch)
    labels = np.concatenate([batch["labels"] for batch in loader])
    np.testing.assert_array_equal(np.sort(labels), np.sort(regression_rows.rows(np.arange(len(batches)))[1]))

"""Related rows against plain Python: which held-out rows have none, and that groups of them are not parted."""

import random
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.data.related import group_related, unrelated_rows
from dream_bert.data.splits import NOT_TAKEN, assign_groups


def reverse_complement(insert):
    return insert[::-1].translate(str.maketrans("ACGTN", "TGCAN"))


def words(insert):
    return {insert[i : i + 20] for i in range(len(insert) - 19) if "N" not in insert[i : i + 20]}


def related(one, other):
    return not words(one).isdisjoint(words(other) | words(reverse_complement(other)))


@pytest.fixture(scope="module")
def labels():
    """Inserts with labels of their own; some share 19, 20 or 30 bp with the one before."""
    draw = random.Random(0)

    def bases(length):
        return "".join(draw.choices("ACGT", k=length))

    inserts = [bases(draw.choice([80, 80, 77, 19, 45])) for _ in range(300)]
    for i in range(0, 240, 4):
        piece = inserts[i][10 : 10 + draw.choice([19, 20, 30])]
        inserts[i + 1] = draw.choice([piece, reverse_complement(piece)]) + bases(50)
        inserts[i + 2] = bases(30) + piece[:9] + "N" + piece[10:]
        inserts[i + 3] = bases(50) + inserts[i + 1][-25:]
    return {insert: round(i / 20, 3) for i, insert in enumerate(inserts)}


@pytest.fixture(scope="module")
def source(labels, tmp_path_factory):
    path = tmp_path_factory.mktemp("related") / "rows.tsv"
    path.write_text("".join(f"{insert}\t{label}\n" for insert, label in labels.items()))
    return path


def inserts_of(folder, stage, split, labels):
    by_label = {np.float32(label): insert for insert, label in labels.items()}
    rows = PromoterDataset(folder, stage, split)
    return {by_label[np.float32(label)] for label in rows.rows(np.arange(len(rows)))[1]}


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
def test_unrelated_rows_share_no_20_bp_on_either_strand(chunk, source, labels, tmp_path, monkeypatch):
    monkeypatch.setattr("dream_bert.data.related._CHUNK", chunk)
    prepare([source], tmp_path / "data", ("regression",), validation=60, test=40)
    inserts, measured = unrelated_rows(tmp_path / "data")
    np.testing.assert_allclose(measured, [labels[insert] for insert in inserts], rtol=1e-6)

    train = inserts_of(tmp_path / "data", "regression", "train", labels)
    held_out = labels.keys() - train
    assert set(inserts) == {one for one in held_out if not any(related(one, other) for other in train)}
    assert 0 < len(inserts) < len(held_out) == 100


def test_groups_are_those_of_a_walk_from_row_to_related_row(labels):
    inserts = list(labels)
    parts = [inserts[:100], [], inserts[100:]]
    groups = group_related(parts)
    numbers = {}
    for start in range(len(inserts)):
        if start in numbers:
            continue
        found, numbers[start] = [start], start
        for one in found:
            near = [i for i in range(len(inserts)) if i not in numbers and related(inserts[one], inserts[i])]
            numbers |= dict.fromkeys(near, start)
            found += near
    pairs = {(int(group), numbers[i]) for i, group in enumerate(groups)}
    assert len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})
    assert len(pairs) < len(inserts) - 60


def test_related_rows_are_kept_in_one_split(source, labels, tmp_path):
    manifest = prepare([source], tmp_path / "data", validation=60, test=40, top_fraction=0.6, keep_related=True)
    assert manifest["keep_related"]
    for stage, sizes in {"regression": {"train": 200, "validation": 60, "test": 40}, "mlm": {"validation": 9}}.items():
        splits = {split: inserts_of(tmp_path / "data", stage, split, labels) for split in manifest["stages"][stage]}
        assert {split: len(splits[split]) for split in sizes} == sizes
        for one, other in combinations(splits.values(), 2):
            assert not any(related(*pair) for pair in product(one, other))
    assert len(unrelated_rows(tmp_path / "data").inserts) == 100


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60), st.integers(0, 9))
def test_a_group_is_assigned_to_one_split_that_has_room(groups, seed):
    groups, draw = np.array(groups), np.random.default_rng(seed)
    taken = draw.random(len(groups)) < 0.5
    sizes = [*draw.integers(0, 20, 2).tolist(), 0]
    splits = assign_groups(taken, sizes, seed, groups=groups)
    assert (splits.dtype, len(splits)) == (np.uint8, len(groups))
    assert ((splits == NOT_TAKEN) == ~taken).all()
    for number, size in enumerate(sizes[:-1]):
        assert np.count_nonzero(splits == number) <= size
        for group in np.unique(groups[splits == 2]):  # one that went to the last split found no room
            assert np.count_nonzero((groups == group) & taken) > size - np.count_nonzero(splits == number)
    for group in np.unique(groups):
        assert len(set(splits[(groups == group) & taken])) <= 1

"""Prepared rows read back, and flipped bits in them found by reading or by verifying."""

import pickle
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from promoter_rows import labels_of, make_rows, remove, write_rows

from dream_bert.data import bulk_reader, row_spool, shard_writer
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.manifest import read_manifest
from dream_bert.data.prepare import prepare
from dream_bert.errors import DataError

pytestmark = pytest.mark.usefixtures("small_parts")


@given(picks=st.lists(st.integers(0, 9)))
def test_rows_are_returned_in_the_order_of_the_indices(tmp_path_factory, picks):
    folder = Path(tmp_path_factory.getbasetemp(), "gather")
    if not folder.exists():
        rows = write_rows(folder.with_suffix(".txt"), make_rows(10))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bulk_reader, "_BLOCK", 1)
            patch.setattr(row_spool, "_ROWS", 2)
            patch.setattr(shard_writer, "SHARD_ROWS", 3)
            prepare([rows], folder, ["regression"], validation=0, test=0)
    dataset = PromoterDataset(folder, "regression", "train")
    inserts, expression = dataset.rows(np.array(picks, dtype=np.int64))
    rows = make_rows(10)
    assert expression.dtype == np.float32
    assert inserts == [rows[pick][0] for pick in picks]
    assert expression.tolist() == [float(np.float32(rows[pick][1])) for pick in picks]


def test_indices_that_are_no_rows(folder):
    dataset = PromoterDataset(folder, "mlm", "train")
    for indices in ([-1], [len(dataset)], [0.5], np.ones(len(dataset), dtype=bool)):
        with pytest.raises(IndexError):
            dataset.rows(indices)
    assert len(list(dataset)) == len(dataset)


def test_a_dataset_travels_to_other_processes_by_name(folder):
    dataset = PromoterDataset(folder, "regression", "train")
    packed = pickle.dumps(dataset)
    assert len(packed) < 1000
    assert labels_of(pickle.loads(packed)) == labels_of(dataset)


def test_an_empty_split_opens(tmp_path, source):
    prepare([source], tmp_path / "data", ["regression"], validation=0, test=0)
    dataset = PromoterDataset(tmp_path / "data", "regression", "test")
    assert len(dataset) == 0
    assert [len(part) for part in dataset.rows([])] == [0, 0]


def test_verifying_names_the_shard_that_changed(folder):
    dataset = PromoterDataset(folder, "regression", "train")
    dataset.verify()
    path = folder / read_manifest(folder)["stages"]["regression"]["train"]["shards"][1]["file"]
    content = path.read_bytes()
    path.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    with pytest.raises(DataError, match=f"^{path}: is damaged: its SHA-256"):
        dataset.verify()
    PromoterDataset(folder, "regression", "test").verify()


def test_a_flipped_bit_is_found_at_the_latest_by_verifying(tmp_path):
    draw = random.Random(4)
    rows = [("".join(draw.choices("ACGT", k=draw.randint(1, 9))), float(number)) for number in range(6)]
    folder, source = tmp_path / "data", write_rows(tmp_path / "rows.txt", rows)
    prepare([source], folder, ["regression"], validation=0, test=0)
    whole, _ = PromoterDataset(folder, "regression", "train").rows(range(6))
    path = folder / "regression/train/part-00000.arrow"
    content = path.read_bytes()
    outcomes = Counter()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << draw.randrange(8)
        remove(path).write_bytes(flipped)
        dataset = None
        try:
            dataset = PromoterDataset(folder, "regression", "train")
            inserts, _ = dataset.rows(range(6))
        except DataError as error:
            assert str(path) in str(error) and len(str(error).splitlines()) == 1
            outcomes["opening" if dataset is None else "reading"] += 1
        else:
            assert len(inserts) == 6 and all(insert and set(insert) <= set("ACGTN") for insert in inserts)
            outcomes["none" if inserts == whole else "another base"] += 1
        if dataset is not None:
            with pytest.raises(DataError, match="its SHA-256 is not the manifest's"):
                dataset.verify()
    assert set(outcomes) == {"opening", "reading", "none", "another base"}
    assert outcomes["reading"] > outcomes["another base"]  # A and C, C and G, G and N, ... differ in one bit


def test_other_characters_are_found_where_they_are(folder):
    dataset = PromoterDataset(folder, "regression", "train")
    shard = read_manifest(folder)["stages"]["regression"]["train"]["shards"][0]
    path = folder / shard["file"]
    for other in (b"R", b"\n", b"a", b"\xff"):
        content = path.read_bytes()
        place = content.index(dataset[7][0].encode())
        remove(path).write_bytes(content[:place] + other + content[place + 1 :])
        damaged = PromoterDataset(folder, "regression", "train")
        with pytest.raises(DataError, match=f"^{path}: is damaged in row 7; prepare the data again$"):
            damaged.rows([3, 7, 2])
        remove(path).write_bytes(content)

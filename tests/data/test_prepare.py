"""Preparation against a plain reference: splits, manifest, seeds, sources, the command."""

import hashlib
import math
import os
import statistics
import threading

import datasets
import numpy as np
import pyarrow as pa
import pytest
from promoter_rows import SHARES, inserts_of, labels_of, make_rows, write_rows

from dream_bert.cli import main as cli
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.manifest import read_manifest
from dream_bert.data.prepare import TEST, VALIDATION, prepare
from dream_bert.errors import ReadError
from dream_bert.sequence.construct import to_oligo

pytestmark = pytest.mark.usefixtures("small_parts")


def test_every_row_is_in_one_split_in_order_or_dropped_as_a_duplicate(folder):
    rows = [(insert, float(np.float32(expression))) for insert, expression in make_rows(500)]
    ranked = sorted((expression for _, expression in rows), reverse=True)
    threshold = ranked[math.ceil(0.2 * 500) - 1]
    for stage, pool in (("mlm", [row for row in rows if row[1] >= threshold]), ("regression", rows)):
        parts = {}
        for split in read_manifest(folder)["stages"][stage]:
            dataset = PromoterDataset(folder, stage, split)
            parts[split] = list(zip(inserts_of(dataset), labels_of(dataset), strict=True))
            positions = iter(pool)
            assert all(row in positions for row in parts[split])  # a subsequence: input order is kept
        entries = read_manifest(folder)["stages"][stage]
        held = set()
        for split in ("test", "validation", "train"):
            found = {insert for insert, _ in parts.get(split, [])}
            assert not found & held
            held |= found
        assert held == {insert for insert, _ in pool}
        dropped = sum(entry["duplicates_dropped"] for entry in entries.values())
        assert dropped > 0
        assert sum(map(len, parts.values())) + dropped == len(pool)
        assert len({insert for insert, _ in parts["train"]}) < len(parts["train"])  # repeats within a split stay
    assert len(PromoterDataset(folder, "regression", "test")) == 60


def test_the_manifest(folder, source):
    manifest = read_manifest(folder)
    rows = make_rows(500)
    lengths = [len(insert) for insert, _ in rows]
    assert manifest["rows"] == 500
    assert manifest["insert_length"] == {"shortest": min(lengths), "longest": max(lengths)}
    assert manifest["threshold"] == sorted((y for _, y in rows), reverse=True)[99]
    train = labels_of(PromoterDataset(folder, "regression", "train"))
    assert manifest["label_mean"] == pytest.approx(statistics.fmean(train), rel=1e-6)
    assert manifest["label_std"] == pytest.approx(statistics.pstdev(train), rel=1e-6)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert manifest["sources"] == [
        {"name": str(source), "bytes": source.stat().st_size, "rows": 500, "sha256": digest}
    ]
    assert (manifest["seed"], manifest["top_fraction"], manifest["rejected"]) == (0, 0.2, {})
    assert len(manifest["stages"]["regression"]["train"]["shards"]) > 1
    for stage, splits in manifest["stages"].items():
        for split, entry in splits.items():
            assert sum(shard["rows"] for shard in entry["shards"]) == entry["rows"]
            assert all(100 <= shard["rows"] < 200 for shard in entry["shards"][:-1])
            for shard in entry["shards"]:
                content = (folder / shard["file"]).read_bytes()
                assert hashlib.sha256(content).hexdigest() == shard["sha256"]
            on_disk = sorted(str(path.relative_to(folder)) for path in (folder / stage / split).iterdir())
            assert on_disk == [shard["file"] for shard in entry["shards"]]
    assert not (folder / "rejects.tsv").exists()


def test_datasets_opens_a_shard(folder):
    first, shard, *_ = read_manifest(folder)["stages"]["regression"]["train"]["shards"]
    theirs = datasets.Dataset.from_file(str(folder / shard["file"]))
    ours = PromoterDataset(folder, "regression", "train")
    assert len(theirs) == shard["rows"]
    assert (theirs[5]["insert"], theirs[5]["expression"]) == ours[first["rows"] + 5]


def test_the_same_seed_gives_the_same_bytes_and_another_gives_another_split(tmp_path, source, folder):
    again = prepare([source], tmp_path / "again", **SHARES)
    assert again == read_manifest(folder)
    other = prepare([source], tmp_path / "other", seed=1, **SHARES)
    assert other["stages"] != again["stages"]
    alone = prepare([source], tmp_path / "alone", ["mlm"], **SHARES)
    assert alone["stages"] == {"mlm": again["stages"]["mlm"]}
    assert "label_mean" not in alone


def test_several_inputs_and_a_hub_data_set_are_read_one_after_the_other(tmp_path):
    rows = make_rows(40)
    first = write_rows(tmp_path / "first", rows[:25])
    hub = tmp_path / "hub"
    hub.mkdir()
    columns = {"sequence": [to_oligo(insert) for insert, _ in rows[25:]], "activity": [float(y) for _, y in rows[25:]]}
    pa.parquet.write_table(pa.table(columns), hub / "train.parquet")
    manifest = prepare([first, f"hub:{hub}"], tmp_path / "data", ["regression"], validation=0, test=0)
    dataset = PromoterDataset(tmp_path / "data", "regression", "train")
    assert inserts_of(dataset) == [insert for insert, _ in rows]
    assert labels_of(dataset) == [float(np.float32(expression)) for _, expression in rows]
    assert [entry["rows"] for entry in manifest["sources"]] == [25, 15]
    with pytest.raises(ReadError, match="cannot be read from the Hub"):
        prepare([f"hub:{tmp_path / 'none'}"], tmp_path / "more")


def test_a_pipe_is_read_once(tmp_path):
    rows = "".join(f"ACG{'ACGT'[i // 4]}{'ACGT'[i % 4]}\t{i}\n" for i in range(16))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=[rows])
    writer.start()
    manifest = prepare([pipe], tmp_path / "data", ["regression"], test=1, validation=1)
    writer.join()
    (tmp_path / "rows.txt").write_text(rows)
    same = prepare([tmp_path / "rows.txt"], tmp_path / "same", ["regression"], test=1, validation=1)
    assert manifest["stages"] == same["stages"]
    assert "bytes" not in manifest["sources"][0] and manifest["sources"][0]["rows"] == 16


def test_the_command(tmp_path, source, capsys):
    command = ["prepare", str(source), "-o", str(tmp_path / "data"), "--stage", "regression", "--seed", "3"]
    assert cli.main([*command, "--validation", "50", "--test", "0.1"]) == 0
    assert "regression/train" in capsys.readouterr().out
    manifest = read_manifest(tmp_path / "data")
    assert (manifest["seed"], list(manifest["stages"])) == (3, ["regression"])
    assert len(PromoterDataset(tmp_path / "data", "regression", "test")) == 50
    assert cli.main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert cli.main([*command, "--overwrite"]) == 0
    with pytest.raises(SystemExit):
        cli.main([*command, "--validation", "many"])


def test_the_challenges_own_file(tmp_path, shared_data):
    source = shared_data / "dream_train_sample.txt.gz"
    manifest = prepare([source], tmp_path / "data")
    train = PromoterDataset(tmp_path / "data", "regression", "train")
    validation, test = (PromoterDataset(tmp_path / "data", "regression", name) for name in ("validation", "test"))
    assert (len(validation), len(test)) == (math.floor(5000 * VALIDATION), math.floor(5000 * TEST))
    dropped = sum(entry["duplicates_dropped"] for entry in manifest["stages"]["regression"].values())
    assert len(train) + len(validation) + len(test) + dropped == manifest["rows"] == 5000
    assert all(set(insert) <= set("ACGTN") for insert in inserts_of(train))

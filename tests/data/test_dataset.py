"""Preparation against a plain reference, reading back, and what happens when something is wrong."""

import hashlib
import json
import math
import os
import pickle
import random
import statistics
import threading
from collections import Counter
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.cli import main as cli
from dream_bert.data import bulk_reader, row_spool, shard_writer
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.manifest import read_manifest
from dream_bert.data.prepare import TEST, VALIDATION, prepare
from dream_bert.data.shard_writer import ShardWriter
from dream_bert.errors import DataError, ReadError
from dream_bert.sequence.construct import SequenceError, to_oligo

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def make_rows(count: int, seed: int = 0) -> list[tuple[str, float]]:
    """Inserts, every other a repeat of one before, and labels with many ties."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        insert = "".join(draw.choices("ACGTN", k=draw.randint(1, 90)))
        if number % 2:
            insert = draw.choice(rows)[0]
        rows.append((insert, draw.choice([draw.randint(0, 17), round(draw.uniform(0, 17), 4)])))
    return rows


def write_rows(path: Path, rows: list[tuple[str, float]]) -> Path:
    path.write_text("".join(f"{to_oligo(insert)}\t{expression}\n" for insert, expression in rows))
    return path


def inserts_of(dataset: PromoterDataset) -> list[str]:
    return dataset.rows(np.arange(len(dataset)))[0]


def labels_of(dataset: PromoterDataset) -> list[float]:
    return dataset.rows(np.arange(len(dataset)))[1].tolist()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Read, gather and write in parts of a few rows."""
    monkeypatch.setattr(bulk_reader, "_BLOCK", 4096)
    monkeypatch.setattr(row_spool, "_ROWS", 64)
    monkeypatch.setattr(shard_writer, "SHARD_ROWS", 100)


@pytest.fixture
def source(tmp_path):
    return write_rows(tmp_path / "rows.txt", make_rows(500))


SHARES = {"mlm_validation": 0.1, "validation": 0.2, "test": 60}


@pytest.fixture
def folder(tmp_path, source):
    prepare([source], tmp_path / "data", **SHARES)
    return tmp_path / "data"


# --- the whole, against plain Python ----------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["stages"]["regression"]["train"].update(shards={}),
        lambda manifest: manifest["stages"]["regression"]["train"].update(shards=""),
    ],
)
def test_shards_that_are_no_list_are_refused(tmp_path, change):
    source = tmp_path / "rows.txt"
    source.write_text("".join(f"ACG{'ACGT'[i // 4]}{'ACGT'[i % 4]}\t{i}\n" for i in range(16)))
    manifest = prepare([source], tmp_path / "data", ["regression"], test=1, validation=1)
    change(manifest)
    (tmp_path / "data" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="lacks what regression/train needs .*shards"):
        PromoterDataset(tmp_path / "data", "regression", "train")


def test_a_manifest_that_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(DataError, match="is not a regular file"):
        read_manifest(tmp_path)


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


# --- bad rows and bad targets -----------------------------------------------------------------------------------

BAD = "ACGT\t1\nACGX\t2\nAC\tnan\n\t3\nGG\nAAA\t4\nTTT\t5\n" + "C" * 5000 + "\t6\n"


def test_a_bad_row_stops_the_run_and_leaves_nothing(tmp_path):
    source = tmp_path / "bad.txt"
    for content, message in (
        (BAD, r"bad.txt:2: record '1': character 'X' at base 4 .*; remove or replace it"),
        ("A\t1\nC\tx\n", "bad.txt:2: the label 'x' is no number"),
        ("\t1\n", "bad.txt:1: record '0': the sequence is empty"),
    ):
        source.write_text(content)
        with pytest.raises((ReadError, SequenceError), match=message):
            prepare([source], tmp_path / "data")
        assert [path.name for path in tmp_path.iterdir()] == ["bad.txt"]


def test_bad_rows_can_be_skipped_counted_and_listed(tmp_path):
    source = tmp_path / "bad.txt"
    source.write_text(BAD)
    manifest = prepare([source], tmp_path / "data", ["regression"], validation=0, test=0, skip_bad=True)
    sequences = {"character outside IUPAC": 1, "empty sequence": 1, "insert too long": 1}
    assert manifest["rejected"] == sequences | {"label not finite": 1, "missing label": 1}
    assert manifest["rows"] == 3
    assert inserts_of(PromoterDataset(tmp_path / "data", "regression", "train")) == ["ACGT", "AAA", "TTT"]
    lines = (tmp_path / "data" / "rejects.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["where", "reason", "text"]
    assert [line.split("\t")[0] for line in lines[1:]] == [f"{source}:{number}" for number in (2, 3, 4, 5, 8)]
    source.write_text("X\t1\n")
    with pytest.raises(DataError, match="no row of the input can be used"):
        prepare([source], tmp_path / "more", skip_bad=True)


def test_a_failure_in_writing_leaves_the_earlier_data(tmp_path, folder, source, monkeypatch):
    before = (folder / "manifest.json").read_bytes()
    calls = []

    def full_disk(*args):
        calls.append(args)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(ShardWriter, "_write", full_disk)
        prepare([source], folder, overwrite=True)
    assert calls
    assert (folder / "manifest.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "rows.txt"]


def test_only_prepared_data_is_overwritten_and_only_when_asked(tmp_path, folder, source):
    with pytest.raises(DataError, match="--overwrite"):
        prepare([source], folder)
    manifest = prepare([source], folder, ["mlm"], overwrite=True)
    assert read_manifest(folder) == manifest
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "mlm"]
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="other files"):
        prepare([source], folder, overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    edit(folder, lambda manifest, _: manifest.update(format=1))
    assert prepare([source], folder, ["mlm"], overwrite=True) == manifest
    (tmp_path / "empty").mkdir()
    prepare([source], tmp_path / "empty", ["mlm"])
    with pytest.raises(DataError, match="is a file"):
        prepare([source], source)
    with pytest.raises(DataError, match="no such folder; make it first"):
        prepare([source], tmp_path / "none" / "data")
    assert (tmp_path / "empty").stat().st_mode == (tmp_path / "empty" / "mlm").stat().st_mode


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"top_fraction": 0}, {"top_fraction": 1.1}, {"stages": []}, {"stages": ["train"]}]
)
def test_arguments_out_of_range(tmp_path, source, wrong):
    with pytest.raises(DataError):
        prepare([source], tmp_path / "data", **wrong)


# --- reading back -----------------------------------------------------------------------------------------------


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


def edit(folder: Path, change) -> None:
    manifest = read_manifest(folder)
    change(manifest, manifest["stages"]["mlm"]["train"]["shards"][0])
    (folder / "manifest.json").write_text(json.dumps(manifest))


def remove(path: Path) -> Path:
    path.unlink()
    return path


def link(path: Path, target: Path) -> None:
    """Move a path outside the folder, and leave a link to it."""
    path.rename(target)
    path.symlink_to(target)


def circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def as_schema(folder: Path, insert: pa.DataType) -> pa.Table:
    with pa.ipc.open_stream(folder / "mlm/train/part-00000.arrow") as stream:
        return stream.read_all().cast(pa.schema({"insert": insert, "expression": pa.float32()}))


def write_shard(folder: Path, table: pa.Table) -> None:
    with pa.ipc.new_stream(remove(folder / "mlm/train/part-00000.arrow"), table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "has no manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is no JSON"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "is no JSON object"),
        (
            lambda folder: edit(folder, lambda manifest, _: manifest.update(format=99)),
            "has format 99, .*format 2;",
        ),
        (
            lambda folder: edit(folder, lambda manifest, _: manifest.update(format=1)),
            "has format 1, .*prepare",
        ),
        (lambda folder: edit(folder, lambda manifest, _: manifest.pop("format")), "is not the manifest of prepared"),
        (lambda folder: edit(folder, lambda manifest, _: manifest["stages"].pop("mlm")), "holds no split mlm/train"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(rows=3)), "does not hold the 3 rows"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="../x.arrow")), "outside the folder"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="/etc/passwd")), "outside the folder"),
        (lambda folder: (folder / "mlm/train/part-00000.arrow").unlink(), "is missing"),
        (lambda folder: (folder / "mlm/train/part-00000.arrow").write_bytes(b""), "cannot be read"),
        (lambda folder: (folder / "mlm/train/part-00000.arrow").write_bytes(b"x" * 100), "cannot be read"),
        (lambda folder: (folder / "manifest.json").write_text("[" * 100_000), "is no JSON"),
        (lambda folder: (folder / "manifest.json").write_text('{"format": ' + "9" * 5000 + "}"), "is no JSON"),
        (lambda folder: (folder / "manifest.json").write_bytes(b'{"format": "\xff"}'), "is no JSON"),
        (lambda folder: link(folder / "manifest.json", folder.parent / "manifest.json"), "outside the folder"),
        (lambda folder: link(folder / "mlm/train/part-00000.arrow", folder.parent / "x"), "outside the folder"),
        (lambda folder: link(folder / "mlm/train", folder.parent / "x"), "outside the folder"),
        # Python before 3.13 finds the circle when it resolves the link.
        (lambda folder: circle(folder / "mlm/train/part-00000.arrow"), "outside the folder|missing, or not a file"),
        (lambda folder: os.mkfifo(remove(folder / "mlm/train/part-00000.arrow")), "is missing, or not a file"),
        (lambda folder: remove(folder / "mlm/train/part-00000.arrow").mkdir(), "is missing, or not a file"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file=f"{folder}/../x")), "outside the folder"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="mlm/../../x")), "outside the folder"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="a\0b")), "has no file"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="\ud800")), "has no file"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="ab" * 5000)), "has no file"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="a\nb")), "has no file"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="")), "has no file"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file="a" * 300)), "is missing|outside"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(file=7)), "shard 0 of mlm/train has no file"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(rows=-1)), "has no file, number of rows"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(rows=0)), "has no file, number of rows"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(rows="3")), "has no file, number of rows"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(rows=True)), "has no file, number of rows"),
        (lambda folder: edit(folder, lambda _, shard: shard.update(rows=10**30)), "does not hold the 10+ rows"),
        (lambda folder: edit(folder, lambda _, shard: shard.pop("sha256")), "lacks what mlm/train needs .'sha256'"),
        (lambda folder: edit(folder, lambda manifest, _: manifest["stages"].update(mlm=[])), "holds no split"),
        (lambda folder: edit(folder, lambda manifest, _: manifest["stages"]["mlm"].update(train=3)), "lacks what"),
        (lambda folder: edit(folder, lambda manifest, _: manifest.pop("insert_length")), "lacks .* .'insert_length'"),
        (lambda folder: edit(folder, lambda manifest, _: manifest.update(insert_length={"longest": 8})), "is damaged"),
        (
            lambda folder: edit(folder, lambda manifest, _: manifest.update(insert_length={"longest": "8"})),
            "not a number",
        ),
        (lambda folder: write_shard(folder, pa.table({"x": [1]})), "does not hold"),
        (lambda folder: write_shard(folder, as_schema(folder, pa.large_string())), "does not hold"),
        (lambda folder: write_shard(folder, as_schema(folder, pa.binary())), "does not hold"),
    ],
)
def test_damage_is_found_on_opening(folder, damage, message):
    damage(folder)
    with pytest.raises(DataError, match=message) as caught:
        PromoterDataset(folder, "mlm", "train")
    assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 1000


@pytest.mark.parametrize("wrong", ["1", None, math.nan, math.inf, True])
def test_label_statistics_that_are_no_numbers(folder, wrong):
    edit(folder, lambda manifest, _: manifest.update(label_std=wrong))
    with pytest.raises(DataError, match="label_mean or label_std is not a finite number"):
        PromoterDataset(folder, "regression", "train")
    PromoterDataset(folder, "mlm", "train")


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
        remove(path).write_bytes(flipped)  # the maps of the earlier ones keep their bytes
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


def test_a_shard_cut_off_anywhere_is_found_on_opening(folder):
    path = folder / "mlm/train/part-00000.arrow"
    content = path.read_bytes()
    for length in range(0, len(content) - 64, 97):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match="cannot be read|does not hold"):
            PromoterDataset(folder, "mlm", "train")


# --- the command ------------------------------------------------------------------------------------------------


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


def test_the_command_says_what_it_skipped(tmp_path, capsys):
    (tmp_path / "bad.txt").write_text(BAD)
    command = ["prepare", str(tmp_path / "bad.txt"), "-o", str(tmp_path / "data"), "--top-fraction", "1"]
    assert cli.main(command) == 2
    assert capsys.readouterr().err.startswith(f"dream-bert: {tmp_path}/bad.txt:2: ")
    assert cli.main([*command, "--on-error", "skip"]) == 0
    assert "skipped 1 character outside IUPAC" in capsys.readouterr().err


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data")
def test_the_challenges_own_file(tmp_path):
    source = SHARED / "dream_train_sample.txt.gz"
    manifest = prepare([source], tmp_path / "data")
    train = PromoterDataset(tmp_path / "data", "regression", "train")
    validation, test = (PromoterDataset(tmp_path / "data", "regression", name) for name in ("validation", "test"))
    assert (len(validation), len(test)) == (math.floor(5000 * VALIDATION), math.floor(5000 * TEST))
    dropped = sum(entry["duplicates_dropped"] for entry in manifest["stages"]["regression"].values())
    assert len(train) + len(validation) + len(test) + dropped == manifest["rows"] == 5000
    assert all(set(insert) <= set("ACGTN") for insert in inserts_of(train))

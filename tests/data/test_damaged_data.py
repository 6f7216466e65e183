"""Damage to prepared data that is found on opening: files, manifest, shards."""

import json
import math
import os
from pathlib import Path

import pyarrow as pa
import pytest
from promoter_rows import edit, remove

from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.manifest import read_manifest
from dream_bert.data.prepare import prepare
from dream_bert.errors import DataError

pytestmark = pytest.mark.usefixtures("small_parts")


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


def test_a_shard_cut_off_anywhere_is_found_on_opening(folder):
    path = folder / "mlm/train/part-00000.arrow"
    content = path.read_bytes()
    for length in range(0, len(content) - 64, 97):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match="cannot be read|does not hold"):
            PromoterDataset(folder, "mlm", "train")

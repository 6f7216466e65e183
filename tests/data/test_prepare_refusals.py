"""Rows, folders and arguments that preparation refuses, skips or leaves as they are."""

import pytest
from promoter_rows import edit, inserts_of

from dream_bert.cli import main as cli
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.manifest import read_manifest
from dream_bert.data.prepare import prepare
from dream_bert.data.shard_writer import ShardWriter
from dream_bert.errors import DataError, ReadError
from dream_bert.sequence.construct import SequenceError

pytestmark = pytest.mark.usefixtures("small_parts")


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


def test_the_command_says_what_it_skipped(tmp_path, capsys):
    (tmp_path / "bad.txt").write_text(BAD)
    command = ["prepare", str(tmp_path / "bad.txt"), "-o", str(tmp_path / "data"), "--top-fraction", "1"]
    assert cli.main(command) == 2
    assert capsys.readouterr().err.startswith(f"dream-bert: {tmp_path}/bad.txt:2: ")
    assert cli.main([*command, "--on-error", "skip"]) == 0
    assert "skipped 1 character outside IUPAC" in capsys.readouterr().err

"""Tables and arrays of effects are read back, and hold what the function of Python gives."""

import csv
import json

import numpy as np
import pyarrow.parquet
import pytest
from closeness import assert_close
from plasmid import END, START
from verb_processes import run_in_processes

from dream_bert import evolvability_vector, mutagenesis, mutational_robustness
from dream_bert.analysis import mutagenesis_files
from dream_bert.analysis.mutagenesis_files import mutagenesis_file
from dream_bert.cli.main import main
from dream_bert.errors import InputWarning, OutputError, ReadError
from dream_bert.sequence.construct import SequenceError

SEQUENCES = {"a": "GATTACA", "oligo": START + "CCTTGACCGATTAN" + END, "b": "ggcau", "a2": "GATTACA"}
COLUMNS = ["id", "position", "ref", "alt", "expression", "effect"]


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tiny_model(stride=1, context=0, max_position_embeddings=64).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def source(tmp_path):
    (tmp_path / "in.fa").write_text("".join(f">{id}\n{sequence}\n" for id, sequence in SEQUENCES.items()))
    return tmp_path / "in.fa"


def read_table(path, format):
    if format == "parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    text = path.read_text()
    if format == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return [*csv.DictReader(text.splitlines(), delimiter="\t" if format == "tsv" else ",")]


def expected_rows(result, ids):
    """Lay out by position, and there substitutions, deletion, insertions."""
    rows = []
    for row, (id, sequence) in enumerate(zip(ids, result.sequences, strict=True)):
        for place in range(len(sequence) + 1):
            for base in range(4):
                if place < len(sequence) and sequence[place] != "ACGT"[base]:
                    rows.append((id, place + 1, sequence[place], "ACGT"[base], result.effects[row, base, place]))
            if result.deletions is not None and place < len(sequence):
                rows.append((id, place + 1, sequence[place], "-", result.deletions[row, place]))
            for base in range(4) if result.insertions is not None else ():
                rows.append((id, place + 1, "-", "ACGT"[base], result.insertions[row, base, place]))
    return [row for row in rows if not np.isnan(row[-1])]


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl", "parquet"])
@pytest.mark.parametrize("options", [{}, {"deletions": True, "insertions": True}, {"positions": [2, 3, 5]}])
def test_every_format(source, model, tmp_path, monkeypatch, format, options):
    monkeypatch.setattr(mutagenesis_files, "_BATCH", 3)  # so that rows come in two parts
    output = tmp_path / f"out.{format}"
    if "positions" in options:
        source.write_text(">a\nGATTACA\n>b\nGGCAT\n")
    ids = ["a", "b"] if "positions" in options else [*SEQUENCES]
    texts = ["GATTACA", "GGCAT"] if "positions" in options else [*SEQUENCES.values()]
    assert mutagenesis_file(source, output, model, **options) == len(ids)
    rows, result = read_table(output, format), mutagenesis(texts, model, **options)
    wanted = expected_rows(result, ids)
    assert list(rows[0]) == COLUMNS
    assert [(r["id"], int(r["position"]), r["ref"], r["alt"]) for r in rows] == [row[:4] for row in wanted]
    decimals = 4 if format in ("tsv", "csv") else None
    effects = np.array([row[4] for row in wanted])
    assert_close([float(row["effect"]) for row in rows], effects, decimals=decimals)
    reference = dict(zip(ids, result.expression, strict=True))
    expression = [reference[row[0]] + row[4] for row in wanted]
    assert_close([float(row["expression"]) for row in rows], expression, decimals=decimals)


@pytest.mark.filterwarnings("ignore::dream_bert.errors.InputWarning")
@pytest.mark.parametrize("normalised", [None, "mean", "reference"])
def test_npz(tmp_path, model, monkeypatch, normalised):
    monkeypatch.setattr(mutagenesis_files, "_BATCH", 2)
    texts = [START + insert + END for insert in ("GATTACA", "CCNTGGA", "TTTTTTT")]
    (tmp_path / "in.csv").write_text("".join(["id,sequence\n", *(f"p{i},{text}\n" for i, text in enumerate(texts))]))
    mutagenesis_file(tmp_path / "in.csv", tmp_path / "out.npz", model, normalised=normalised)
    result = mutagenesis(texts, model, normalised=normalised)
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["ids"].tolist() == ["p0", "p1", "p2"]
        np.testing.assert_array_equal(arrays["one_hot"], result.one_hot)
        assert_close(arrays["effects"], np.nan_to_num(result.effects))
        assert_close(arrays["expression"], result.expression)
        assert (arrays["effects"][:, :, :17] == 0).all()


def test_summary(source, model, tmp_path):
    options = {"deletions": True, "insertions": True}
    mutagenesis_file(source, tmp_path / "out.tsv", model, summary=tmp_path / "sum.jsonl", precision=7, **options)
    result = mutagenesis(SEQUENCES.values(), model, **options)
    rows = expected_rows(result, SEQUENCES)
    summary = read_table(tmp_path / "sum.jsonl", "jsonl")
    assert [row["id"] for row in summary] == [*SEQUENCES]
    for number, row in enumerate(summary):
        effects = {f"{ref}{place}{alt}": effect for id, place, ref, alt, effect in rows if id == row["id"]}
        for name, best in (("raising", max(effects.values())), ("lowering", min(effects.values()))):
            assert_close(row[f"{name}_effect"], best)
            assert_close(effects[row[name]], best)
        assert_close(row["expression"], result.expression[number])
        assert row["robustness"] == np.float32(mutational_robustness(result.effects[number], result.one_hot[number]))
        vector = evolvability_vector(result.effects[number], result.one_hot[number])
        assert_close([float(value) for value in row["evolvability"].split(",")], vector, decimals=7)


def test_where_nothing_raises_or_lowers(tmp_path):
    class Flat:
        longest, insert_lengths, chunk, columns = 100, None, 100, ("expression",)

        def __call__(self, inserts):
            return np.full(len(inserts), 5, dtype=np.float32)

    (tmp_path / "in.txt").write_text("ACGT\n")
    mutagenesis_file(tmp_path / "in.txt", tmp_path / "out.tsv", Flat(), summary=tmp_path / "sum.tsv")
    assert (tmp_path / "sum.tsv").read_text().splitlines()[1] == "0\t5.0000\t\t\t\t\t1.0000\t" + ",".join(
        ["0.0000"] * 12
    )


def test_bad_rows_are_skipped_and_listed(tmp_path, model):
    (tmp_path / "in.txt").write_text("ACGT\nAC!\nNN\nAC\nTTTT\n" + "A" * 99 + "\n")
    options = {"positions": [2, 4], "on_error": "skip", "rejects": tmp_path / "rejects.tsv"}
    with pytest.warns(InputWarning) as caught:
        assert mutagenesis_file(tmp_path / "in.txt", tmp_path / "out.tsv", model, **options) == 2
    reasons = ["character outside IUPAC", "position behind the end", "insert too long"]
    assert {f"skipped {2 if 'end' in reason else 1} rows: {reason}" for reason in reasons} == {
        str(warning.message) for warning in caught
    }
    with open(tmp_path / "rejects.tsv") as file:
        assert [row["where"].rpartition(":")[2] for row in csv.DictReader(file, delimiter="\t")] == [
            "2",
            "3",
            "4",
            "6",
        ]
    assert {row["id"] for row in read_table(tmp_path / "out.tsv", "tsv")} == {"0", "4"}


BAD = [
    (
        {"positions": [9]},
        SequenceError,
        "in.fa:1: record 'a': position 9 is behind the end of the",
    ),
    ({"output": "in.fa"}, OutputError, "in.fa: is an input, too; name another file to write to"),
    ({"summary": "out.tsv"}, OutputError, "out.tsv: is another output, too; name a file for each"),
    ({"plot": "out.tsv"}, OutputError, "out.tsv: is another output, too; name a file for each"),
    ({"output": "out.npz"}, OutputError, "in.fa:3: the sequence has 44 bp where those before have 7; npz holds one"),
    ({"output": None, "format": "npz"}, OutputError, "npz compresses itself and needs a file of its own; name one"),
    ({"output": "out.npz", "deletions": True}, OutputError, "npz holds substitutions alone; leave deletions and"),
    ({"normalised": "mean"}, OutputError, "a table holds effects as they are; leave normalised out, or write npz"),
    ({"normalised": "log"}, ValueError, "normalised is 'log'; give mean or reference, or None"),
    (
        {"output": "out.xls"},
        OutputError,
        "out.xls: the suffix '.xls' names no format; give one of",
    ),
    ({"summary": "out.npz"}, OutputError, "out.npz: the suffix '.npz' names no format; give one of tsv, csv, jsonl"),
    ({"plot": "out.pdf"}, OutputError, "out.pdf: the suffix '.pdf' names no format of pictures; give .svg or .png"),
    (
        {"plot": "out.svg"},
        OutputError,
        "out.svg: a picture shows one sequence, and in.fa:3 has another",
    ),
    ({"precision": 21}, OutputError, "precision is 21; give 0 to 20 decimals"),
    ({"on_error": "ignore"}, ValueError, "on_error is 'ignore'; give stop or skip"),
    (
        {"on_error": "skip", "positions": [99]},
        ReadError,
        "no sequence of the input can be used (4 position",
    ),
    (
        {"rejects": "out2.tsv"},
        ValueError,
        "out2.tsv: is for skipped rows, and rows are not skipped; give",
    ),
    ({"model": "/nowhere"}, OSError, ""),
]


@pytest.mark.parametrize(("options", "kind", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_options_leave_nothing(source, model, monkeypatch, options, kind, message):
    monkeypatch.chdir(source.parent)
    given = {"output": "out.tsv", "model": model} | options
    with pytest.raises(kind) as error:
        mutagenesis_file("in.fa", **given)
    assert str(error.value).startswith(message)
    assert [path.name for path in source.parent.iterdir()] == ["in.fa"]


def test_a_failure_leaves_what_was_there(source, model, tmp_path):
    for name in ("out.tsv", "sum.tsv"):
        (tmp_path / name).write_text("yesterday's")
    source.write_text(source.read_text() + ">bad\nAC!\n")
    with pytest.raises(SequenceError, match="in.fa:9: record 'bad'"):
        mutagenesis_file(source, tmp_path / "out.tsv", model, summary=tmp_path / "sum.tsv")
    assert {path.read_text() for path in tmp_path.glob("*.tsv")} == {"yesterday's"} and len([*tmp_path.iterdir()]) == 3


def test_the_command(source, model, tmp_path, capsys):
    command = ["mutagenesis", str(source), "--model", model, "--precision", "7", "--deletions", "--insertions"]
    assert main([*command, "--summary", str(tmp_path / "sum.tsv")]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    mutagenesis_file(source, tmp_path / "out.tsv", model, precision=7, deletions=True, insertions=True)
    assert printed.out == (tmp_path / "out.tsv").read_text()
    assert len((tmp_path / "sum.tsv").read_text().splitlines()) == 5


def test_positions_of_the_command(tmp_path, model, capsys):
    (tmp_path / "in.txt").write_text("GATTACA\n")
    command = ["mutagenesis", str(tmp_path / "in.txt"), "--model", model]
    assert main([*command, "--positions", "2-3,7"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[1] for row in rows] == ["2"] * 3 + ["3"] * 3 + ["7"] * 3
    assert main([*command, "--positions", "7-2"]) == 2
    assert capsys.readouterr().err.startswith(
        "dream-bert: positions '7-2': '7-2' is no position and no range of them;"
    )


@pytest.mark.slow
def test_several_processes_write_what_one_writes(source, model, tmp_path):
    command = ["mutagenesis", str(source), "--model", model, "--precision", "5", "--insertions", "-o"]
    assert run_in_processes([*command, str(tmp_path / "two.tsv")], 2, tmp_path / "printed") == [0, 0]
    assert main([*command, str(tmp_path / "one.tsv")]) == 0
    one, two = (read_table(tmp_path / name, "tsv") for name in ("one.tsv", "two.tsv"))
    assert [[row[name] for name in COLUMNS[:4]] for row in one] == [[row[name] for name in COLUMNS[:4]] for row in two]
    for name in COLUMNS[4:]:
        assert_close([float(row[name]) for row in two], [float(row[name]) for row in one], decimals=4)
    assert (tmp_path / "printed.1").read_text().strip() == ""

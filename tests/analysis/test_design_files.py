"""Files of designs: what is written, what is left out, and that nothing is half written."""

import csv
import gzip
import io
import json
import os

import pyarrow.parquet
import pytest
from closeness import assert_close
from design_checks import LEFT, RIGHT, differences, faults
from verb_processes import run_in_processes

from dream_bert import Constraints, SequenceError, design, read_records
from dream_bert.analysis import design_files
from dream_bert.analysis.design_files import design_file
from dream_bert.analysis.evolution import Plan
from dream_bert.analysis.second_opinion import load_judges
from dream_bert.cli.main import main
from dream_bert.errors import ArgumentError, InputWarning, OutputError, ReadError

pytestmark = pytest.mark.filterwarnings("ignore::dream_bert.errors.InputWarning")

STARTS = {"a": "GATTACAGATTACCA", "oligo": LEFT + "CCTTGACCGATTACCTGA" + RIGHT, "b": "ggcauccaggaucca"}
COLUMNS = ["expression", "lower", "upper", "second", "second_lower", "second_upper", "worst"]


@pytest.fixture(scope="module")
def models(tiny_model, tmp_path_factory):
    """Two folders of tiny models, of different weights and no calibration."""
    folders = []
    for name, width in (("model", 16), ("second", 32)):
        folders.append(str(tmp_path_factory.mktemp(name)))
        tiny_model(stride=1, context=0, max_position_embeddings=64, hidden_size=width).save_pretrained(folders[-1])
    return dict(zip(("model", "second"), folders, strict=True))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{id}\n{sequence}\n" for id, sequence in STARTS.items()))
    return path


def read_steps(path, format="tsv"):
    if format == "parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    if format == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text), delimiter="," if format == "csv" else "\t"))


def number(cell):
    return float("nan") if cell in ("", None) else float(cell)


@pytest.mark.parametrize(
    ("name", "format"),
    [("s.tsv", "tsv"), ("s.csv", "csv"), ("s.jsonl", "jsonl"), ("s.tsv.gz", "tsv"), ("s.parquet", "parquet")],
)
def test_fasta_and_steps(source, models, tmp_path, name, format):
    output, steps = tmp_path / "out.fa", tmp_path / name
    plan = Plan("maximise", n=3, edits=2, distance=2)
    assert design_file(source, output, models["model"], second=models["second"], steps=steps, plan=plan) == 3
    expected = design(list(STARTS.values()), **models, goal="maximise", n=3, edits=2, distance=2)
    records = [*read_records(output)]
    assert [record.id for record in records] == ["design_1", "design_2", "design_3"]
    assert [record.sequence for record in records] == expected.sequences
    headers = [line for line in output.read_text().splitlines() if line.startswith(">")]
    rows = read_steps(steps, format)
    assert list(rows[0]) == ["id", "start", "step", "change", *COLUMNS, "sequence"]
    for header, record, start, line in zip(headers, records, expected.starts, expected.steps, strict=True):
        own = [row for row in rows if row["id"] == record.id]
        ids = list(STARTS)
        assert {row["start"] for row in own} == {ids[int(start)]}
        assert [int(row["step"]) for row in own] == list(range(len(line)))
        assert [row["change"] or "" for row in own] == [step.change for step in line]
        assert [row["sequence"] for row in own] == [step.sequence for step in line]
        for row, step in zip(own, line, strict=True):
            cells = [number(row[column]) for column in COLUMNS]
            known = [0, 3, 6]  # no interval of these models
            assert_close([cells[i] for i in known], [step.expression[0], step.second[0], step.worst], decimals=4)
            assert all(cells[i] != cells[i] for i in (1, 2, 4, 5))
        fields = dict(field.split("=") for field in header.split()[1:])
        assert fields["start"] == ids[int(start)]
        assert int(fields["edits"]) == len(differences(record.sequence, line[0].sequence))
        assert_close(float(fields["worst"]), line[-1].worst, decimals=4)


def test_designs_are_predicted_as_they_say(source, models, tmp_path, capsys):
    """The FASTA goes into `predict` as it is."""
    output = tmp_path / "out.fa.gz"
    command = ["design", str(source), "--minimise", "-n", "2", "--distance", "3", "--edits", "3", "-o", str(output)]
    assert main([*command, "--model", models["model"], "--second", models["second"]]) == 0
    assert main(["predict", str(output), "--model", models["model"]]) == 0
    predicted = [float(line.split("\t")[1]) for line in capsys.readouterr().out.splitlines()[1:]]
    headers = [line for line in gzip.decompress(output.read_bytes()).decode().splitlines() if line[0] == ">"]
    assert_close([float(header.split("expression=")[1].split()[0]) for header in headers], predicted, decimals=3)


def test_the_command_line_keeps_every_constraint(models, tmp_path, capsys):
    command = ["design", "--random", "9", "--length", "40", "--target", "0.5", "-n", "4", "--distance", "5"]
    command += ["--forbid", "BsaI", "--forbid", "GATC", "--gc", "0.3-0.6", "--max-homopolymer", "4", "--no-atg"]
    command += ["--method", "evolution", "--rounds", "4", "--seed", "3"]
    command += ["--model", models["model"], "--second", models["second"]]
    assert main(command) == 0
    once = capsys.readouterr().out
    assert main(command) == 0
    assert capsys.readouterr().out == once
    sequences = once.splitlines()[1::2]
    assert len(sequences) == 4 and {len(sequence) for sequence in sequences} == {40}
    for row, sequence in enumerate(sequences):
        wishes = dict(forbidden=["GGTCTC", "GATC"], gc=(0.3, 0.6), max_homopolymer=4, no_atg=True)
        assert not faults(sequence, **wishes)
        assert all(len(differences(sequence, other)) >= 5 for other in sequences[:row])


def test_what_is_kept_by_the_command_line(source, models, capsys):
    command = ["design", str(source), "--maximise", "-n", "2", "--distance", "1", "--keep", "1-4,15"]
    command += ["--keep-motif", "RATTACC", "--model", models["model"], "--second", models["second"]]
    assert main(command) == 2
    message = "in.fa:5: start 'b' does not hold motif RATTACC, which is to be kept; give starts that do; --on-error"
    assert message in capsys.readouterr().err
    assert main([*command, "--on-error", "skip"]) == 0
    printed = capsys.readouterr()
    for header, sequence in zip(printed.out.splitlines()[::2], printed.out.splitlines()[1::2], strict=True):
        start = STARTS[header.split("start=")[1].split()[0]]
        changed = {at + 1 for at in differences(start, sequence)}
        motif = start.index("GATTACC") + 1
        assert changed and not changed & {1, 2, 3, 4, 15, *range(motif, motif + 7)}


def test_starts_that_break_a_constraint(source, models, tmp_path):
    wishes = Constraints(forbidden=["CAGATT"])
    arguments = dict(second=models["second"], plan=Plan(rounds=1), constraints=wishes)
    with pytest.raises(
        SequenceError, match=r"in.fa:1: start 'a' breaks a constraint: it holds CAGATT.*--on-error skip"
    ):
        design_file(source, tmp_path / "out.fa", models["model"], **arguments)
    assert sorted(os.listdir(tmp_path)) == ["in.fa"]
    rejects = tmp_path / "rejects.tsv"
    with pytest.warns(InputWarning, match="^skipped 1 rows: start breaks a constraint$"):
        design_file(source, tmp_path / "out.fa", models["model"], **arguments, on_error="skip", rejects=rejects)
    assert "breaks a constraint: it holds CAGATT" in rejects.read_text()
    (tmp_path / "one.fa").write_text(">a\nGCAGATTG\n")
    with pytest.raises(ReadError, match=r"no sequence of the input can be used \(1 start breaks a constraint\)"):
        design_file(tmp_path / "one.fa", tmp_path / "no.fa", models["model"], **arguments, on_error="skip")
    assert sorted(os.listdir(tmp_path)) == ["in.fa", "one.fa", "out.fa", "rejects.tsv"]


def test_a_failure_leaves_what_was_there(source, models, tmp_path, monkeypatch):
    output, steps = tmp_path / "out.fa", tmp_path / "steps.tsv"
    output.write_text("yesterday's")
    monkeypatch.setattr(design_files, "write_table", lambda *_: 1 / 0)  # when the FASTA is written
    with pytest.raises(ZeroDivisionError):
        design_file(source, output, models["model"], second=models["second"], steps=steps, plan=Plan(rounds=1))
    assert output.read_text() == "yesterday's"
    assert sorted(os.listdir(tmp_path)) == ["in.fa", "out.fa"]


def test_no_file_is_written_over_another(source, models, tmp_path):
    for options in (
        dict(output=source),
        dict(output=tmp_path / "o.fa", steps=source),
        dict(output=tmp_path / "o.tsv", steps=f"{tmp_path}/./o.tsv"),
    ):
        with pytest.raises(OutputError, match="name (another file to write to|a file for each)$"):
            design_file(source, model=models["model"], second=models["second"], plan=Plan(), **options)
    with pytest.raises(OutputError, match=r"the suffix '.xlsx' names no format"):
        design_file(source, tmp_path / "o.fa", models["model"], plan=Plan(), steps=tmp_path / "s.xlsx")
    assert os.listdir(tmp_path) == ["in.fa"]


def test_hostile_ids(models, tmp_path):
    (tmp_path / "in.tsv").write_text('id\tsequence\n"a\n>b\x1b[31m"\tACGTACGT\n')
    design_file(tmp_path / "in.tsv", tmp_path / "o.fa", models["model"], second=models["second"], plan=Plan(edits=1))
    header, sequence = (tmp_path / "o.fa").read_text().splitlines()
    assert header.isprintable() and header.startswith(r">design_1 start=a\n>b\x1b[31m edits=") and len(sequence) == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the arguments --maximise --minimise --target is required"),
        (["--maximise", "--target", "3"], "not allowed with argument"),
        (["--target", "nan"], "the goal is nan; give maximise, minimise, or an expression"),
        (["--maximise", "--gc", "0.3"], "argument --gc: '0.3' is no range of shares; give one, as 0.3-0.6"),
        (["--maximise", "--gc", "60-30"], "the share of G and C is 60.0-30.0; give"),
        (["--maximise", "--keep", "7-3"], "positions '7-3': '7-3' is no position and no range of them"),
        (["--maximise", "--forbid", "EcoRi9"], "forbidden site 'EcoRi9' is neither"),
        (["--maximise", "--random", "5"], "give start sequences, or a number of random ones, and not both"),
        (["--maximise", "--second", "no/such/model"], "no such model folder"),
        (["--maximise", "--rejects", "r.tsv"], "give --on-error skip, too"),
        (["--maximise", "-n", "0"], "n is 0; give at least 1"),
    ],
)
def test_wrong_options_are_one_line(source, models, capsys, arguments, message):
    try:
        status = main(["design", str(source), "--model", models["model"], *arguments])
    except SystemExit as leaving:  # of argparse
        status = leaving.code
    output = capsys.readouterr()
    assert status == 2 and output.out == ""
    assert message in output.err.splitlines()[-1]
    assert os.listdir(source.parent) == ["in.fa"]


def test_no_random_start_can_keep_something(models):
    with pytest.raises(ArgumentError, match="random starts have nothing to keep"):
        design_file(None, None, models["model"], plan=Plan(), random=3, constraints=Constraints(keep=[1]))


def test_models_that_are_loaded(source, models, tmp_path):
    """As the processes of a launcher share them."""
    plan = Plan("maximise", n=2, edits=2)
    design_file(source, tmp_path / "folders.fa", models["model"], second=models["second"], plan=plan)
    design_file(source, tmp_path / "loaded.fa", load_judges(models["model"], models["second"]), plan=plan)
    assert (tmp_path / "loaded.fa").read_text() == (tmp_path / "folders.fa").read_text()


@pytest.mark.slow
def test_several_processes_write_what_one_writes(source, models, tmp_path):
    command = ["design", str(source), "--maximise", "-n", "2", "--distance", "3", "--edits", "2"]
    command += ["--model", models["model"], "--second", models["second"], "-o"]
    assert run_in_processes([*command, str(tmp_path / "two.fa")], 2, tmp_path / "printed") == [0, 0]
    assert main([*command, str(tmp_path / "one.fa")]) == 0
    one, two = ((tmp_path / name).read_text() for name in ("one.fa", "two.fa"))
    assert one.splitlines()[1::2] == two.splitlines()[1::2]

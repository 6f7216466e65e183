"""Files of scored variants: tables, streams, processes, and one line for what is wrong."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from made_genome import ToyPredictor, write_vcf
from one_by_one import LAYOUT
from variant_records import flipped, info, rows, score

from dream_bert.analysis.variant_files import variants_file
from dream_bert.cli.main import main
from dream_bert.errors import InputWarning


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl", "parquet"])
def test_tables(variant_inputs, format):
    score()
    score(f"out.{format}")
    if format == "parquet":
        table = pq.read_table("out.parquet").to_pylist()
    elif format == "jsonl":
        table = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    else:
        delimiter = {"tsv": "\t", "csv": ","}[format]
        header, *lines = Path(f"out.{format}").read_text().splitlines()
        lines = list(csv.reader(lines, delimiter=delimiter))
        table = [dict(zip(header.split(delimiter), line, strict=True)) for line in lines]
    names = "#CHROM POS ID REF ALT gene strand distance ref alt effect windows skipped"
    assert list(table[0]) == names.split()
    expected = []
    for row in rows():
        fields = info(row)
        entries = [entry.split("|") for entry in fields.get("DREAM", "").split(",") if entry]
        skipped = [entry.split("|") for entry in fields.get("DREAM_SKIPPED", "").split(",") if entry]
        start = row.split("\t")[:2]
        expected += [(*start, entry[0], entry[2], entry[3], entry[7], "") for entry in entries]
        expected += [(*start, allele, "", "", "", reason) for allele, reason in skipped]
    found = [
        tuple(
            "" if row[name] is None else str(row[name])
            for name in ["#CHROM", "POS", "ALT", "strand", "distance", "windows", "skipped"]
        )
        for row in table
    ]
    assert sorted(found) == sorted(expected)
    assert {row["gene"] for row in table} == {"", "left", "tP(UGG)A,1|x"}


def test_standard_streams(variant_inputs, monkeypatch, capsysbinary):
    stream = io.TextIOWrapper(io.BytesIO(Path("in.vcf").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    score("-", "-")
    printed = capsysbinary.readouterr().out
    score("out.vcf")
    assert printed == Path("out.vcf").read_bytes()


def test_no_record(variant_inputs):
    write_vcf(variant_inputs / "in.vcf", [])
    assert variants_file("in.vcf", "genome.fa", "out.vcf", None, ToyPredictor()) == (0, 0, {})
    assert rows() == []
    variants_file("in.vcf", "genome.fa", "out.tsv", None, ToyPredictor())
    assert Path("out.tsv").read_text().count("\n") == 1


@pytest.mark.slow
def test_two_processes_write_what_one_does(variant_inputs, tiny_model):
    tiny_model(**LAYOUT).save_pretrained("mine")
    options = ["in.vcf", "--genome", "genome.fa", "--genes", "genes.gtf", "--model", "mine", "--precision", "2"]
    assert main(["variants", *options, "-o", "one.vcf"]) == 0
    config = Path(__file__).parents[2] / "examples" / "accelerate" / "cpu.yaml"
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config), "-m", "dream_bert"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, "variants", *options, "-o", "two.vcf"], env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert Path("two.vcf").read_text() == Path("one.vcf").read_text()


BAD = [
    (["none.vcf"], "none.vcf: No such file or directory"),
    (["in.vcf", "--genome", "none.fa"], "none.fa: No such file or directory"),
    (["in.vcf", "--genome", "in.vcf"], "in.vcf:1: is no FASTA"),
    (["genome.fa"], "genome.fa:1: is no VCF"),
    (["in.vcf", "--genes", "in.vcf"], "in.vcf:7: '650' and '.' are to be start and end; "),
    (["in.vcf", "--genes", "none.gtf"], "none.gtf: No such file or directory"),
    (["in.vcf", "--step", "81"], "step is 81 bp; give 1 to 80"),
    (["in.vcf", "--genes", "genes.gtf", "--upstream", "0"], "upstream is 0 bp; give at least 1"),
    (["in.vcf", "-o", "in.vcf"], "in.vcf: is an input, too; "),
    (["in.vcf", "-o", "genome.fa"], "genome.fa: is an input, too; "),
    (["in.vcf", "-o", "out.bcf"], "out.bcf: the suffix '.bcf' names no format; "),
    (["in.vcf", "-o", "none/out.vcf"], "none: no such folder; make it first"),
    (["in.vcf", "--format", "parquet"], "parquet compresses itself "),
    (["in.vcf", "--precision", "99"], "precision is 99; "),
    (["in.vcf", "--rejects", "bad.tsv"], "bad.tsv: is for skipped rows, and rows are not skipped; "),
    (["bad.vcf"], "bad.vcf:4: the record has 7 columns and the header 8; "),
    (["cut.vcf.gz"], "cut.vcf.gz:"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(variant_inputs, tiny_model, capsys, arguments, message):
    tiny_model(**LAYOUT).save_pretrained("mine")
    good = Path("in.vcf").read_bytes()
    write_vcf(variant_inputs / "bad.vcf", [("I", 650, *flipped(650)), ("I", 650, "A", "C", ".", ".")])
    Path("cut.vcf.gz").write_bytes(gzip.compress(good, mtime=0)[:-20])
    capsys.readouterr()
    before = sorted(path.name for path in variant_inputs.iterdir())
    extra = [] if "-o" in arguments or "--format" in arguments else ["-o", "out.vcf"]
    options = ["--genome", "genome.fa", *arguments[1:], *extra, "--model", "mine"]
    assert main(["variants", arguments[0], *options]) == 2
    error = capsys.readouterr().err
    error = error.replace(f"{variant_inputs}/", "")
    assert error.startswith(f"dream-bert: {message}") and error.count("\n") == 1
    assert sorted(path.name for path in variant_inputs.iterdir()) == before
    assert Path("in.vcf").read_bytes() == good


def test_bad_lines_are_left_out_and_listed(variant_inputs):
    write_vcf(
        variant_inputs / "in.vcf", [("I", 650, *flipped(650)), ("I", 650, "A", "C", ".", "."), ("I", 10, *flipped(10))]
    )
    with pytest.warns(InputWarning) as caught:
        variants_file(
            "in.vcf", "genome.fa", "out.vcf", "genes.gtf", ToyPredictor(), on_error="skip", rejects="bad.tsv"
        )
    assert [str(warning.message).partition(";")[0] for warning in caught] == [
        "skipped 1 rows: wrong number of columns",
        "1 alleles are not scored: 1 not_upstream_of_a_gene",
    ]
    assert [row.split("\t")[1] for row in rows()] == ["650", "10"]
    assert Path("bad.tsv").read_text().splitlines()[1].startswith("in.vcf:4\tthe record has 7 columns")

"""Annotated VCF and tables of variants: nothing lost, read by other programs, and one line for what is wrong."""

import csv
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pysam
import pytest
from closeness import assert_close
from made_genome import ToyPredictor, other_strand, random_bases, toy_expression, write_fasta, write_vcf
from one_by_one import LAYOUT

import dream_bert
from dream_bert.analysis.variant_files import variants_file
from dream_bert.analysis.variant_output import FIELDS
from dream_bert.cli.main import main
from dream_bert.errors import InputWarning
from dream_bert.inference.origin import find_origin

BASES = random_bases(1600)
HEADER = """##contig=<ID=chrI,length=1600>
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##INFO=<ID=DREAM,Number=.,Type=String,Description="Of an earlier run">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
"""
GENES = 'I\tx\tgene\t701\t1000\t.\t+\t.\tgene_id "tP(UGG)A,1|x";\nI\tx\tgene\t201\t600\t.\t-\t.\tgene_id "left";\n'


def flipped(place: int) -> tuple[str, str]:
    return BASES[place - 1], other_strand(BASES[place - 1])


RECORDS = [
    (
        "chrI",
        650,
        flipped(650)[0],
        f"{flipped(650)[1]},<DEL>,*",
        "12345678.9",
        "PASS",
        "AF=0.1234567,0.5,0.5",
        "GT",
        "0/1",
    ),
    ("chrI", 650, flipped(650)[0].lower(), ".", ".", ".", ".", "GT", "./."),
    ("chrI", 660, BASES[659:663], "G,GGCC", ".", ".", "DREAM=old;AF=0.5,0.5", "GT", "1|2"),
    ("chrI", 640, flipped(640)[1], flipped(640)[0], ".", "q10", ".", "GT", "0/1"),
    ("chrI", 10, *flipped(10), ".", ".", ".", "GT", "0/1"),
    ("plasmid", 10, "A", "C", ".", ".", ".", "GT", "0/1"),
]


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_fasta(tmp_path / "genome.fa", {"I": BASES})
    (tmp_path / "genes.gtf").write_text(GENES)
    write_vcf(tmp_path / "in.vcf", RECORDS, HEADER, "\tFORMAT\ts1")
    return tmp_path


def score(output="out.vcf", source="in.vcf", genes="genes.gtf", **kwargs):
    with pytest.warns(InputWarning, match="alleles are not scored: "):
        return variants_file(source, "genome.fa", output, genes, ToyPredictor(), **kwargs)


def info(line: str) -> dict[str, str]:
    return dict(entry.partition("=")[::2] for entry in line.split("\t")[7].split(";"))


def rows(path="out.vcf") -> list[str]:
    return [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]


def test_every_record_is_kept_with_header_and_samples(inputs):
    counts = score()
    assert counts == (
        6,
        3,
        dict.fromkeys(("symbolic_allele", "spanning_deletion", "no_alternative_allele", "REF_is_not_the_genome"), 1)
        | {"not_upstream_of_a_gene": 1, "contig_not_in_genome": 1},
    )
    before, after = Path("in.vcf").read_text().splitlines(), Path("out.vcf").read_text().splitlines()
    added = [line for line in after if line.startswith("##") and line not in before]
    kept = [line for line in before[:6] if "Of an earlier run" not in line]
    assert [line for line in after if line not in added][:5] == kept
    assert [line.split("=")[0] for line in added] == ["##INFO"] * 2 + [
        f"##dream_bert_{name}" for name in ("version", "model", "windows")
    ]

    def stripped(line):
        cells = line.split("\t")
        cells[7] = ";".join(entry for entry in cells[7].split(";") if not entry.startswith("DREAM")) or "."
        return cells

    assert list(map(stripped, rows())) == list(map(stripped, before[6:]))


def test_entries(inputs):
    score(precision=3)
    first, none, second, *others = map(info, rows())
    ref, alt = flipped(650)
    loop = {}
    for strand in "+-":
        changed = BASES[:649] + alt + BASES[650:]
        pairs = [(BASES[s : s + 80], changed[s : s + 80]) for s in range(570, 650, 10)]
        pairs = pairs if strand == "+" else [tuple(map(other_strand, pair)) for pair in pairs]
        loop[strand] = [np.mean(list(map(toy_expression, side))) for side in zip(*pairs, strict=True)]
    for entry, gene, strand, distance in zip(
        first["DREAM"].split(","), ("left", "tP(UGG)A%2C1%7Cx"), "-+", (50, 51), strict=True
    ):
        *start, before, after, effect, windows, consequence = entry.split("|")
        assert start == [alt, gene, strand, str(distance)]
        assert_close([float(before), float(after)], loop[strand], decimals=3)
        assert_close(float(effect), loop[strand][1] - loop[strand][0], decimals=3)
        assert (windows, consequence) == ("8", "upstream_gene_variant")
    assert first["DREAM_SKIPPED"] == "<DEL>|symbolic_allele,*|spanning_deletion"
    assert none == {"DREAM_SKIPPED": ".|no_alternative_allele"}
    assert [entry.split("|")[:2] for entry in second["DREAM"].split(",")] == [
        [allele, gene] for allele in ("G", "GGCC") for gene in ("tP(UGG)A%2C1%7Cx", "left")
    ]
    assert "old" not in second["DREAM"] and second["AF"] == "0.5,0.5"
    assert [row["DREAM_SKIPPED"].split("|")[1] for row in others] == [
        "REF_is_not_the_genome",
        "not_upstream_of_a_gene",
        "contig_not_in_genome",
    ]


def test_without_genes_both_strands(inputs):
    score(genes=None)
    entries = [entry.split("|") for entry in info(rows()[0])["DREAM"].split(",")]
    assert [entry[1:4] for entry in entries] == [["", "+", ""], ["", "-", ""]]
    assert {entry[-1] for entry in entries} == {"sequence_variant"}


def test_scoring_the_output_again_changes_nothing(inputs):
    score()
    score("again.vcf", "out.vcf")
    assert Path("again.vcf").read_text() == Path("out.vcf").read_text()


def test_pysam_reads_the_output_and_bcf_gives_the_same(inputs):
    records = [RECORDS[0][:3] + (flipped(650)[1] + ",*",) + RECORDS[0][4:6] + (".",) + RECORDS[0][7:], *RECORDS[1:3]]
    write_vcf(inputs / "in.vcf", records, HEADER, "\tFORMAT\ts1")
    with pysam.VariantFile("in.vcf") as read, pysam.VariantFile("in.bcf", "wb", header=read.header) as out:
        for record in read:
            out.write(record)
    score("of_bcf.vcf.gz", "in.bcf")
    score("out.vcf.gz")
    with pysam.VariantFile("of_bcf.vcf.gz") as of_bcf, pysam.VariantFile("out.vcf.gz") as of_text:
        found, expected = list(of_bcf), list(of_text)
        assert [record.pos for record in found] == [650, 650, 660]
        for one, other in zip(found, expected, strict=True):
            assert (one.alleles, one.info.get("DREAM")) == (other.alleles, other.info.get("DREAM"))
        assert of_text.header.info["DREAM"].description.endswith("Format: " + "|".join(FIELDS))
        assert list(of_text.header.samples) == list(of_bcf.header.samples) == ["s1"]


def test_gz_is_bgzf(inputs):
    score("out.vcf.gz")
    assert Path("out.vcf.gz").read_bytes()[12:14] == b"BC"
    assert gzip.decompress(Path("out.vcf.gz").read_bytes()).startswith(b"##fileformat=VCF")


@pytest.mark.parametrize("genes", ["genes.gtf", None])
def test_bcftools_splits_the_field(inputs, genes):
    if not shutil.which("bcftools"):
        pytest.skip("needs bcftools")
    score(genes=genes)
    columns = "\\t".join(f"%{field}" for field in ("CHROM", "POS", *FIELDS))
    command = ["bcftools", "+split-vep", "out.vcf", "-a", "DREAM", "-d", "-f", f"{columns}\\n"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [line.split("\t") for line in done.stdout.splitlines()]
    expected = []
    for row in rows():
        for entry in info(row).get("DREAM", "").split(","):
            expected += [[*row.split("\t")[:2], *(part or "." for part in entry.split("|"))]] if entry else []
    assert found == expected and len(found) == (6 if genes else 8)
    strong = [
        "bcftools",
        "+split-vep",
        "out.vcf",
        "-a",
        "DREAM",
        "-c",
        "effect:Float",
        "-i",
        "effect>0",
        "-f",
        "%POS\\n",
    ]
    raised = {
        row.split("\t")[1]
        for row in rows()
        if any(float(e.split("|")[6]) > 0 for e in info(row).get("DREAM", "").split(",") if e)
    }
    assert set(subprocess.run(strong, capture_output=True, text=True, check=True).stdout.split()) == raised


def test_a_header_without_contigs_gets_those_of_the_genome(inputs):
    write_vcf(inputs / "in.vcf", [("I", 650, *flipped(650)), ("I", 10, *flipped(10))])
    score()
    assert "##contig=<ID=I,length=1600>" in Path("out.vcf").read_text().splitlines()
    write_vcf(inputs / "in.vcf", [("chrI", 650, *flipped(650)), ("chrI", 10, *flipped(10))])
    score()
    assert "##contig" not in Path("out.vcf").read_text(), "its contigs have other names"


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl", "parquet"])
def test_tables(inputs, format):
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


def test_the_header_names_the_model(inputs, tiny_model, capsys):
    tiny_model(**LAYOUT).save_pretrained("mine")
    capsys.readouterr()
    assert (
        main(["variants", "in.vcf", "--genome", "genome.fa", "--model", "mine", "-o", "out.vcf", "--step", "40"]) == 0
    )
    digest = hashlib.sha256(Path("mine/model.safetensors").read_bytes()).hexdigest()
    lines = Path("out.vcf").read_text().splitlines()
    assert f"##dream_bert_model=mine backend=torch sha256={digest}" in lines
    assert f"##dream_bert_version={dream_bert.__version__}" in lines
    assert "##dream_bert_windows=length=80 step=40 both strands" in lines
    error = capsys.readouterr().err
    assert error.startswith("dream-bert: warning: ") and error.count("\n") == 1 and "1 symbolic_allele" in error


def test_origin_of_a_loaded_model_depends_on_its_weights(tiny_model):
    one, other = tiny_model(**LAYOUT), tiny_model(**LAYOUT | {"hidden_size": 32})
    assert find_origin(one) == find_origin(tiny_model(**LAYOUT)) != find_origin(other)
    assert find_origin(None).name == "dream-promoter-bert"


def test_standard_streams(inputs, monkeypatch, capsysbinary):
    stream = io.TextIOWrapper(io.BytesIO(Path("in.vcf").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    score("-", "-")
    printed = capsysbinary.readouterr().out
    score("out.vcf")
    assert printed == Path("out.vcf").read_bytes()


def test_no_record(inputs):
    write_vcf(inputs / "in.vcf", [])
    assert variants_file("in.vcf", "genome.fa", "out.vcf", None, ToyPredictor()) == (0, 0, {})
    assert rows() == []
    variants_file("in.vcf", "genome.fa", "out.tsv", None, ToyPredictor())
    assert Path("out.tsv").read_text().count("\n") == 1


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
def test_bad_input_is_one_line_and_leaves_nothing(inputs, tiny_model, capsys, arguments, message):
    tiny_model(**LAYOUT).save_pretrained("mine")
    good = Path("in.vcf").read_bytes()
    write_vcf(inputs / "bad.vcf", [("I", 650, *flipped(650)), ("I", 650, "A", "C", ".", ".")])
    Path("cut.vcf.gz").write_bytes(gzip.compress(good, mtime=0)[:-20])
    capsys.readouterr()
    before = sorted(path.name for path in inputs.iterdir())
    extra = [] if "-o" in arguments or "--format" in arguments else ["-o", "out.vcf"]
    options = ["--genome", "genome.fa", *arguments[1:], *extra, "--model", "mine"]
    assert main(["variants", arguments[0], *options]) == 2
    error = capsys.readouterr().err
    error = error.replace(f"{inputs}/", "")
    assert error.startswith(f"dream-bert: {message}") and error.count("\n") == 1
    assert sorted(path.name for path in inputs.iterdir()) == before
    assert Path("in.vcf").read_bytes() == good


def test_bad_lines_are_left_out_and_listed(inputs):
    write_vcf(inputs / "in.vcf", [("I", 650, *flipped(650)), ("I", 650, "A", "C", ".", "."), ("I", 10, *flipped(10))])
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


def test_the_yeast_genome(tmp_path):
    folder = Path(__file__).parents[3] / "shared" / "genome"
    if not folder.is_dir():
        pytest.skip("needs the shared data")
    source = tmp_path / "in.vcf"
    with gzip.open(folder / "ensembl_variation.vcf.gz", "rt") as variants:
        lines = [line for _, line in zip(range(1000), variants, strict=False)]
    source.write_text("".join(lines))
    output, genome, genes = tmp_path / "out.vcf", folder / "R64-1-1.fa.gz", folder / "R64-1-1.109.gtf.gz"
    with pytest.warns(InputWarning):
        counts = variants_file(source, genome, output, genes, ToyPredictor())
    records = [line for line in lines if not line.startswith("#")]
    assert counts.records == len(records) and set(counts.skipped) == {"not_upstream_of_a_gene"}
    assert counts.scored > 100
    # YAL069W begins at 335 on +: its upstream is 1 to 334.
    for record, row in zip(records, rows(output), strict=True):
        position, fields = int(record.split("\t")[1]), info(row)
        assert ("|YAL069W|+|" in fields.get("DREAM", "")) == (position < 335)
        if position < 335:
            assert f"|YAL069W|+|{335 - position}|" in fields["DREAM"]


@pytest.mark.slow
def test_two_processes_write_what_one_does(inputs, tiny_model):
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

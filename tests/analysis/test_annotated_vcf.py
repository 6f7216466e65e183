"""Annotated VCF: every record is kept, and other programs read what was added."""

import gzip
import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pysam
import pytest
from closeness import assert_close
from made_genome import ToyPredictor, other_strand, toy_expression, write_vcf
from made_variants import BASES
from one_by_one import LAYOUT
from variant_records import HEADER, RECORDS, flipped, info, rows, score

import dream_bert
from dream_bert.analysis.variant_files import variants_file
from dream_bert.analysis.variant_output import FIELDS
from dream_bert.cli.main import main
from dream_bert.errors import InputWarning
from dream_bert.inference.origin import find_origin


def test_every_record_is_kept_with_header_and_samples(variant_inputs):
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


def test_entries(variant_inputs):
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


def test_without_genes_both_strands(variant_inputs):
    score(genes=None)
    entries = [entry.split("|") for entry in info(rows()[0])["DREAM"].split(",")]
    assert [entry[1:4] for entry in entries] == [["", "+", ""], ["", "-", ""]]
    assert {entry[-1] for entry in entries} == {"sequence_variant"}


def test_scoring_the_output_again_changes_nothing(variant_inputs):
    score()
    score("again.vcf", "out.vcf")
    assert Path("again.vcf").read_text() == Path("out.vcf").read_text()


def test_pysam_reads_the_output_and_bcf_gives_the_same(variant_inputs):
    records = [RECORDS[0][:3] + (flipped(650)[1] + ",*",) + RECORDS[0][4:6] + (".",) + RECORDS[0][7:], *RECORDS[1:3]]
    write_vcf(variant_inputs / "in.vcf", records, HEADER, "\tFORMAT\ts1")
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


def test_gz_is_bgzf(variant_inputs):
    score("out.vcf.gz")
    assert Path("out.vcf.gz").read_bytes()[12:14] == b"BC"
    assert gzip.decompress(Path("out.vcf.gz").read_bytes()).startswith(b"##fileformat=VCF")


@pytest.mark.parametrize("genes", ["genes.gtf", None])
def test_bcftools_splits_the_field(variant_inputs, genes):
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
    strong = [*command[:5], "-c", "effect:Float", "-i", "effect>0", "-f", "%POS\\n"]
    raised = {
        row.split("\t")[1]
        for row in rows()
        if any(float(e.split("|")[6]) > 0 for e in info(row).get("DREAM", "").split(",") if e)
    }
    assert set(subprocess.run(strong, capture_output=True, text=True, check=True).stdout.split()) == raised


def test_a_header_without_contigs_gets_those_of_the_genome(variant_inputs):
    write_vcf(variant_inputs / "in.vcf", [("I", 650, *flipped(650)), ("I", 10, *flipped(10))])
    score()
    assert "##contig=<ID=I,length=1600>" in Path("out.vcf").read_text().splitlines()
    write_vcf(variant_inputs / "in.vcf", [("chrI", 650, *flipped(650)), ("chrI", 10, *flipped(10))])
    score()
    assert "##contig" not in Path("out.vcf").read_text(), "its contigs have other names"


def test_the_header_names_the_model(variant_inputs, tiny_model, capsys):
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


def test_the_yeast_genome(shared, tmp_path):
    folder = shared("genome")
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

"""Inputs of the scoring of variants, as files, and what is read from the output."""

from pathlib import Path

import pytest
from made_genome import ToyPredictor, other_strand, write_fasta, write_vcf
from made_variants import BASES

from dream_bert.analysis.variant_files import variants_file
from dream_bert.errors import InputWarning

HEADER = """##contig=<ID=chrI,length=1600>
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##INFO=<ID=DREAM,Number=.,Type=String,Description="Of an earlier run">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
"""
GENES = 'I\tx\tgene\t701\t1000\t.\t+\t.\tgene_id "tP(UGG)A,1|x";\nI\tx\tgene\t201\t600\t.\t-\t.\tgene_id "left";\n'


def flipped(place: int) -> tuple[str, str]:
    """Return REF and ALT at a place: its base and the complement."""
    return BASES[place - 1], other_strand(BASES[place - 1])


REF, ALT = flipped(650)
RECORDS = [
    ("chrI", 650, REF, f"{ALT},<DEL>,*", "12345678.9", "PASS", "AF=0.1234567,0.5,0.5", "GT", "0/1"),
    ("chrI", 650, REF.lower(), ".", ".", ".", ".", "GT", "./."),
    ("chrI", 660, BASES[659:663], "G,GGCC", ".", ".", "DREAM=old;AF=0.5,0.5", "GT", "1|2"),
    ("chrI", 640, flipped(640)[1], flipped(640)[0], ".", "q10", ".", "GT", "0/1"),
    ("chrI", 10, *flipped(10), ".", ".", ".", "GT", "0/1"),
    ("plasmid", 10, "A", "C", ".", ".", ".", "GT", "0/1"),
]


def write_inputs(folder: Path) -> None:
    """Write `genome.fa`, `genes.gtf` and `in.vcf`."""
    write_fasta(folder / "genome.fa", {"I": BASES})
    (folder / "genes.gtf").write_text(GENES)
    write_vcf(folder / "in.vcf", RECORDS, HEADER, "\tFORMAT\ts1")


def score(output="out.vcf", source="in.vcf", genes="genes.gtf", **kwargs):
    """Score the variants of the working folder; some alleles cannot be."""
    with pytest.warns(InputWarning, match="alleles are not scored: "):
        return variants_file(source, "genome.fa", output, genes, ToyPredictor(), **kwargs)


def info(line: str) -> dict[str, str]:
    """Read the fields in the INFO column of a record."""
    return dict(entry.partition("=")[::2] for entry in line.split("\t")[7].split(";"))


def rows(path="out.vcf") -> list[str]:
    """Read the records of a VCF, as lines."""
    return [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]

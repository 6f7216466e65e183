"""Genes from GTF, GFF3 and BED; regions from BED."""

import gzip

import pytest

from dream_bert.errors import ReadError
from dream_bert.io.genes import Region, place, read_genes, read_regions
from dream_bert.io.genome import Genome

GTF = """#!genome-build R64-1-1
IV\tsgd\tgene\t8683\t9756\t.\t-\t.\tgene_id "YDL246C"; gene_name "SOR2"; gene_biotype "protein_coding";
IV\tsgd\ttranscript\t8683\t9756\t.\t-\t.\tgene_id "YDL246C"; transcript_id "YDL246C_mRNA";
IV\tsgd\texon\t8690\t9756\t.\t-\t.\tgene_id "YDL246C"; transcript_id "YDL246C_mRNA";
I\tsgd\texon\t335\t500\t.\t+\t.\ttranscript_id "t"; gene_id "YAL069W";
I\tsgd\texon\t600\t649\t.\t+\t.\ttranscript_id "t"; gene_id "YAL069W";
"""
GFF = """##gff-version 3
##sequence-region IV 1 1531933
IV\tsgd\tgene\t8683\t9756\t.\t-\t.\tID=gene:YDL246C;Name=SOR2;gene_id=YDL246C
IV\tsgd\tmRNA\t8683\t9756\t.\t-\t.\tID=transcript:YDL246C_mRNA;Parent=gene:YDL246C
I\tsgd\tncRNA_gene\t335\t649\t.\t+\t.\tName=x;ID=gene-YAL069W
##FASTA
>I
ACGT
"""
BED = "track name=genes\nIV\t8682\t9756\tYDL246C\t0\t-\nI\t334\t649\tYAL069W\t0\t+\t334\t649\n"
GENES = [("YDL246C", "IV", 8682, 9756, "-"), ("YAL069W", "I", 334, 649, "+")]


@pytest.mark.parametrize("text", [GTF, GFF, BED], ids=["gtf", "gff3", "bed"])
@pytest.mark.parametrize("zipped", [False, True])
def test_formats_hold_the_same_genes(tmp_path, text, zipped):
    path = tmp_path / "genes"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    assert [gene[:5] for gene in read_genes(path)] == GENES


def test_names_of_gff3_are_decoded(tmp_path):
    path = tmp_path / "genes.gff"
    path.write_text("I\ts\tgene\t1\t9\t.\t+\t.\tID=a%3Bb;locus_tag=tP%28UGG%29A\n")
    assert read_genes(path)[0].name == "tP(UGG)A"


def test_regions(tmp_path):
    path = tmp_path / "regions.bed"
    path.write_text("# made\nI\t0\t100\nII\t5\t85\tp\nII\t5\t85\tq\t0\t-\nII\t5\t85\tr\t0\t.\n")
    assert read_regions(path) == [
        Region("I:0-100", "I", 0, 100, "+", f"{path}:2"),
        Region("p", "II", 5, 85, "+", f"{path}:3"),
        Region("q", "II", 5, 85, "-", f"{path}:4"),
        Region("r", "II", 5, 85, "+", f"{path}:5"),
    ]


def test_upstream_is_in_front_of_the_first_base_and_on_the_contig():
    gene = Region("g", "I", 1000, 2000, "+")
    assert gene.upstream(500, 3000)[2:4] == (500, 1000)
    assert gene._replace(strand="-").upstream(500, 3000)[2:4] == (2000, 2500)
    assert gene.upstream(1500, 3000)[2:4] == (0, 1000)
    assert gene._replace(strand="-").upstream(1500, 3000)[2:4] == (2000, 3000)


def test_a_region_is_placed_under_any_usual_name():
    genome = Genome({"chrI": "A" * 100})
    assert place(Region("r", "NC_001133.9", 0, 100, "+"), genome).contig == "chrI"
    with pytest.raises(ReadError, match="^f:1: contig 'II' is not in the genome, which has chrI; give "):
        place(Region("r", "II", 0, 100, "+", "f:1"), genome)
    with pytest.raises(ReadError, match="^f:1: 'r' ends at 101, and chrI has 100 bp; "):
        place(Region("r", "I", 0, 101, "+", "f:1"), genome)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", ": has no gene; "),
        ("# nothing\n", ": has no gene; "),
        ("I\t0\t9\n", ":1: has 3 columns between tabs; "),
        ("I 0 9 g 0 +\n", ":1: has 1 columns between tabs; "),
        ("I\t0\t9\t\t0\t+\n", ":1: the gene has no name; "),
        ("I\t0\t9\tg\t0\t.\n", ":1: the strand is '.'; "),
        ("I\t9\t9\tg\t0\t+\n", ":1: starts at 9 and ends at 9; "),
        ("I\t-1\t9\tg\t0\t+\n", ":1: '-1' and '9' are to be start and end; "),
        ("I\t1e3\t9\tg\t0\t+\n", ":1: '1e3' and '9' are to be start and end; "),
        ('I\ts\tgene\t0\t9\t.\t+\t.\tgene_id "g";\n', ":1: starts at 0 and ends at 9; "),
        ('I\ts\tgene\t1\t9\t.\t?\t.\tgene_id "g";\n', ":1: the strand is '?'; "),
        ('I\ts\tgene\t1\t9\t.\t+\t.\tgene_id "";\n', ":1: the gene has no gene_id, locus_tag or ID; "),
        ("I\ts\tgene\t1\t9\t.\t+\t.\tName=g\n", ":1: the gene has no gene_id, locus_tag or ID; "),
        ("I\t0\t9\tg\0\t0\t+\n", ":1: is not UTF-8 text; "),
    ],
)
def test_bad_genes(tmp_path, line, message):
    path = tmp_path / "genes"
    path.write_text(line)
    with pytest.raises(ReadError) as error:
        read_genes(path)
    assert str(error.value).startswith(f"{path}{message}")
    assert "\n" not in str(error.value)

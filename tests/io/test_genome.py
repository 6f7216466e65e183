"""Genomes from FASTA, and one name for all those of a contig."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_genome import random_bases, write_fasta

from dream_bert.errors import ReadError
from dream_bert.io.bgzf import BgzfWriter
from dream_bert.io.genome import Genome, contig_key, read_genome

CONTIGS = {"I": random_bases(1000), "chrII": random_bases(61, 2), "Mito": "ACGTN"}
ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"]
VERSIONS = (9, 8, 5, 10, 3, 8, 9, 6, 2, 9, 9, 5, 3, 8, 7, 4)


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzf"])
def test_reads_fasta_and_writes_no_index(tmp_path, kind):
    path = write_fasta(tmp_path / "genome.fa", CONTIGS)
    if kind == "gzip":
        path.write_bytes(gzip.compress(path.read_bytes()))
    elif kind == "bgzf":
        content = path.read_bytes()
        with path.open("wb") as file, BgzfWriter(file) as packed:
            packed.write(content)
    assert read_genome(path).contigs == CONTIGS
    assert [file.name for file in tmp_path.iterdir()] == ["genome.fa"]


@given(st.lists(st.text("ACGTNRYacgtnry", min_size=1, max_size=200), min_size=1, max_size=4), st.integers(1, 70))
def test_lines_of_any_length(tmp_path_factory, sequences, width):
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    with path.open("w") as file:
        for number, sequence in enumerate(sequences):
            lines = [sequence[start : start + width] for start in range(0, len(sequence), width)]
            file.write(f">c{number}\n" + "\r\n".join(lines) + "\n\n")
    assert list(read_genome(path).contigs.values()) == [sequence.upper() for sequence in sequences]


@pytest.mark.parametrize("number", range(16))
def test_usual_names_of_a_chromosome(number):
    roman = ROMAN[number]
    names = (roman, f"chr{roman}", f"Chr{roman}", f"chromosome{roman}", f"NC_{1133 + number:06}.{VERSIONS[number]}")
    assert {contig_key(name) for name in names} == {roman}


@pytest.mark.parametrize("name", ["Mito", "MT", "chrM", "chrmt", "M", "NC_001224.1", "mitochondrion"])
def test_usual_names_of_the_mitochondrial_genome(name):
    assert contig_key(name) == contig_key("Mito")
    assert Genome({"I": "A", name: "ACGT"}).find("chrM") == name


def test_other_names_stay_apart():
    assert len({contig_key(name) for name in ("2-micron", "NC_001398.1", "NC_001132.2", "NC_001149.1", "XVII")}) == 5


def test_the_same_name_comes_before_an_alias():
    genome = Genome({"I": "A", "chrI": "C", "II": "G"})
    assert (genome.find("I"), genome.find("chrI"), genome.find("chrII")) == ("I", "chrI", "II")
    assert genome.find("NC_001133.9") is None, "either contig may be meant"
    assert genome.find("III") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": has no contig; give FASTA"),
        (b"ACGT\n", ":1: is no FASTA, which begins with >; "),
        (b">\nACGT\n", ":1: the contig has no name; "),
        (b">I\n>II\nACGT\n", ":1: contig 'I' has no bases; "),
        (b">I\nACGT\n>I\nACGT\n", ":3: is the second contig 'I'; "),
        (b">I\nACGT\nACXT\n", ":3: 'X' is not an IUPAC nucleotide code; "),
        (b">I\nAC\xffT\n", ":2: 'ÿ' is not an IUPAC nucleotide code; "),
        (gzip.compress(b">I\n" + b"ACGT\n" * 99, mtime=0)[:-9], "the gzip data are damaged or cut off "),
        (b"\x1a\x41\x27\x43\0\0", ": is 2bit, which is not read here; "),
    ],
)
def test_bad_fasta(tmp_path, content, message):
    path = tmp_path / "genome.fa"
    path.write_bytes(content)
    with pytest.raises(ReadError) as error:
        read_genome(path)
    assert message in str(error.value) and str(error.value).startswith(str(path))
    assert "\n" not in str(error.value) and "; " in str(error.value)


def test_a_genome_too_large_for_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("dream_bert.io.genome.LARGEST_GENOME", 999)
    with pytest.raises(ReadError, match="has more than 999 bases; give the contigs that are asked for"):
        read_genome(write_fasta(tmp_path / "genome.fa", CONTIGS))


def test_a_folder(tmp_path):
    with pytest.raises(ReadError, match="is a folder; give a file"):
        read_genome(tmp_path)

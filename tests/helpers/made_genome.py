"""A random genome with genes on both strands, and a predictor that needs no model."""

import random
from pathlib import Path

import numpy as np

COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}


class ToyPredictor:
    """Predicts from each base and its place, so that a shift or another strand gives another number."""

    longest, insert_lengths, columns = 128, (80, 80), ("expression",)

    def __init__(self, chunk: int = 8192):
        self.chunk, self.seen = chunk, []

    def __call__(self, inserts: list[str]) -> np.ndarray:
        self.seen += inserts
        return np.array([toy_expression(insert) for insert in inserts], dtype=np.float32)


def toy_expression(insert: str) -> float:
    return sum(ord(base) * (place % 7 + 1) for place, base in enumerate(insert)) / 1000


def other_strand(sequence: str) -> str:
    return "".join(COMPLEMENT[base] for base in reversed(sequence))


def toy_windows(sequence: str, step: int, strands: str) -> list[tuple[int, str, float]]:
    """Predict the windows of a sequence by slicing: (start, strand, expression) of each."""
    found = []
    for strand in strands:
        for start in range(0, len(sequence), step):
            window = sequence[start : start + 80]
            if len(window) == 80:
                read = window if strand == "+" else other_strand(window)
                found.append((start, strand, toy_expression(read)))
    return found


def random_bases(length: int, seed: int = 1) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


def write_fasta(path: Path, contigs: dict[str, str]) -> Path:
    """Write lines of 60 bases, in lower case every other."""
    with path.open("w") as file:
        for name, sequence in contigs.items():
            file.write(f">{name} made\n")
            for start in range(0, len(sequence), 60):
                line = sequence[start : start + 60]
                file.write((line if start % 120 else line.lower()) + "\n")
    return path


def write_vcf(path: Path, records: list[tuple], header: str = "", samples: str = "") -> Path:
    """Write records of contig, position, ref and alt, and whatever else they have after these."""
    lines = ["##fileformat=VCFv4.2\n", header, f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO{samples}\n"]
    for contig, position, ref, alt, *others in records:
        lines.append("\t".join([contig, str(position), ".", ref, alt, *(others or [".", ".", "."])]) + "\n")
    path.write_text("".join(lines))
    return path

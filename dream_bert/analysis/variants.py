"""Score variants: how the expression that a model predicts changes with each alternative allele."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from ..inference.prediction import CHUNK_TEXT, load_predictor
from ..inference.predictor import Predictor
from ..io.genes import Region, read_genes
from ..io.genome import Genome, read_genome
from .alleles import NO_WINDOW, NOT_UPSTREAM, paired_windows, read_change
from .scan import STEP, WINDOW, check_predictor, check_step, predict_windows
from .upstreams import BOTH_STRANDS, UPSTREAM, Target, Upstreams

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

_MOST_PENDING = 1 << 15
"""Variants held in memory at a time."""


class Variant(NamedTuple):
    """A place of a contig, from 1, its bases, and the alleles that others have there instead."""

    contig: str
    position: int
    ref: str
    alts: list[str]


class Effect(NamedTuple):
    """An allele and a target with the mean predictions of the reference and of the allele, float32, over `windows`
    windows; or an allele that is not scored, with the `reason`."""

    allele: str
    target: Target | None = None
    ref: np.float32 = np.float32("nan")
    alt: np.float32 = np.float32("nan")
    windows: int = 0
    reason: str = ""


class VariantEffects(NamedTuple):
    """Effects of variants: n of variants and targets, those of one variant one after the other.

    Attributes:
        variant: number of the variant, from 0, int64 (n,).
        gene: names of the genes, n; empty without genes.
        strand: `+` or `-`, n.
        distance: bp from the gene's start, 1 for the base before it, 0 if the change reaches into the gene, int64
            (n,); -1 without genes.
        ref, alt: mean predictions of the reference and of the allele, in expression units, float32 (n,).
        effect: alt - ref, float32 (n,).
        windows: windows that the means are of, int64 (n,).
        skipped: reason by number of a variant that is not scored; `alleles.REASONS` explains them.
    """

    variant: np.ndarray
    gene: list[str]
    strand: list[str]
    distance: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    effect: np.ndarray
    windows: np.ndarray
    skipped: dict[int, str]


def variants(
    variants: Iterable[tuple[str, int, str, str]],
    genome: Genome | dict[str, str] | str | Path,
    genes: Iterable[Region] | str | Path | None = None,
    model: "RegressionModel | Predictor | str | Path | None" = None,
    *,
    upstream: int = UPSTREAM,
    step: int = STEP,
    batch_size: int | None = None,
    backend: str = "torch",
) -> VariantEffects:
    """Score variants for every gene in whose upstream they lie, on the gene's strand; without genes, on both strands.

    A score is the mean over the windows of 80 bp that hold the change, as `alleles` lays them.

    Args:
        variants: contig, position from 1, reference and alternative allele of each, as in VCF.
        genome: FASTA file, what `read_genome` gave, or sequences by contig.
        genes: GTF, GFF3 or BED file, or what `read_genes` gave. Default: none.
        model, batch_size, backend: as in `predict`.
        upstream: bp before a gene's first base that are its upstream. Default: 500.
        step: bp between the starts of two windows, 1 to 80. Default: 10.

    Raises:
        ReadError: if genome or genes cannot be read.
        ArgumentError: if step or upstream are out of range, or no gene is on the genome.
        ModelError, OSError, ValueError: as in `predict`.

    >>> genome = {"I": "ACGTTGCA" * 40}
    >>> effects = variants([("chrI", 161, "A", "G"), ("chrI", 161, "C", "G")], genome)
    >>> effects.variant.tolist(), effects.strand, effects.windows.tolist(), effects.skipped
    ([0, 0], ['+', '-'], [8, 8], {1: 'REF_is_not_the_genome'})
    """
    planner = Planner(genome, genes, upstream, step)
    predictor = load_predictor(model, batch_size, backend)
    rows = ((Variant(contig, position, ref, [alt]), None, len(ref + alt)) for contig, position, ref, alt in variants)
    scored, skipped = [], {}
    for number, (_, effects) in enumerate(score_variants(rows, planner, predictor)):
        for effect in effects:
            if effect.reason:
                skipped[number] = effect.reason
            else:
                scored.append((number, effect))
    ref = np.array([effect.ref for _, effect in scored], dtype=np.float32)
    alt = np.array([effect.alt for _, effect in scored], dtype=np.float32)
    return VariantEffects(
        variant=np.array([number for number, _ in scored], dtype=np.int64),
        gene=[effect.target.gene for _, effect in scored],
        strand=[effect.target.strand for _, effect in scored],
        distance=np.array([effect.target.distance for _, effect in scored], dtype=np.int64),
        ref=ref,
        alt=alt,
        effect=alt - ref,
        windows=np.array([effect.windows for _, effect in scored], dtype=np.int64),
        skipped=skipped,
    )


class Planner:
    """Finds the windows that each variant needs.

    Args, errors: as of `variants`.
    """

    def __init__(
        self,
        genome: Genome | dict[str, str] | str | Path,
        genes: Iterable[Region] | str | Path | None = None,
        upstream: int = UPSTREAM,
        step: int = STEP,
    ):
        self._step = check_step(step, WINDOW)
        if isinstance(genome, str | Path):
            genome = read_genome(genome)
        elif isinstance(genome, dict):
            genome = Genome({name: sequence.upper() for name, sequence in genome.items()})
        self.genome = genome
        if isinstance(genes, str | Path):
            genes = read_genes(genes)
        self._upstreams = None if genes is None else Upstreams(genes, genome, upstream)

    def plan(self, variant: Variant) -> Iterator[tuple[str, Target | None, tuple[list[str], list[str]] | str]]:
        """Yield allele, target and the windows of both alleles; or allele, None and why it is not scored."""
        contig = self.genome.find(variant.contig)
        sequence = None if contig is None else self.genome.contigs[contig]
        for allele in variant.alts:
            change = read_change(sequence, variant.position, variant.ref, allele)
            if isinstance(change, str):
                yield allele, None, change
                continue
            targets = BOTH_STRANDS if self._upstreams is None else self._upstreams.targets(contig, change)
            if not targets:
                yield allele, None, NOT_UPSTREAM
                continue
            strands = {target.strand for target in targets}
            windows = {strand: paired_windows(sequence, change, strand, self._step) for strand in strands}
            scored = [target for target in targets if windows[target.strand][0]]
            yield from ((allele, target, windows[target.strand]) for target in scored)
            if len(scored) < len(targets):
                yield allele, None, NO_WINDOW


_Source = TypeVar("_Source")


def score_variants(
    variants: Iterable[tuple[Variant, _Source, int]], planner: Planner, predictor: Predictor
) -> Iterator[tuple[_Source, list[Effect]]]:
    """Score variants in chunks, in which equal windows are predicted once.

    Neighbours share windows of the reference, so sorted variants take the fewest predictions.

    Args:
        variants: each with what comes back beside its effects, and the characters of memory that this takes.
        planner: finds their windows.
        predictor: the model.
    """
    check_predictor(predictor)
    numbers: dict[str, int] = {}
    pending, size = [], 0
    for variant, source, length in variants:
        plans = []
        for allele, target, windows in planner.plan(variant):
            if target is not None:
                windows = [[numbers.setdefault(window, len(numbers)) for window in side] for side in windows]
            plans.append((allele, target, windows))
        pending.append((source, plans))
        size += length
        if len(numbers) >= predictor.chunk or len(pending) == _MOST_PENDING or size >= CHUNK_TEXT:
            yield from _predict_plans(pending, list(numbers), predictor)
            numbers, pending, size = {}, [], 0
    yield from _predict_plans(pending, list(numbers), predictor)


def _predict_plans(pending: list, windows: list[str], predictor: Predictor) -> Iterator[tuple[_Source, list[Effect]]]:
    values = predict_windows(predictor, windows).astype(np.float64)
    for source, plans in pending:
        effects = []
        for allele, target, found in plans:
            if target is None:
                effects.append(Effect(allele, reason=found))
            else:
                ref, alt = (np.float32(values[side].mean()) for side in found)
                effects.append(Effect(allele, target, ref, alt, len(found[0])))
        yield source, effects

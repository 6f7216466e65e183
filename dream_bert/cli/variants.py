"""Score the variants of a VCF file."""

import argparse
from functools import partial

from .common import add_model, add_on_error, add_output, with_predictor


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "variants",
        help="predict what variants do to the expression of genes",
        description="Predict the expression of genes with the reference and with each alternative allele of a VCF "
        "file: means over the 80-bp windows that hold the variant. With --genes, for every gene in whose upstream it "
        "lies, on the gene's strand; else on both strands. All records are kept, with INFO/DREAM or, for what is not "
        "scored, INFO/DREAM_SKIPPED.",
    )
    parser.add_argument("input", metavar="VCF", help="VCF, plain, gzipped or BGZF, or BCF; - for standard input")
    parser.add_argument("--genome", required=True, metavar="FASTA", help="of the variants, gzipped or not; no index")
    add_genes(parser)
    add_step(parser, "1 to 80")
    add_model(parser)
    add_output(parser, "vcf", "tsv", "csv", "jsonl", "parquet", default="vcf")
    add_on_error(parser)
    parser.set_defaults(run=_run)


def add_genes(parser: argparse.ArgumentParser) -> None:
    """Add the options of genes and their upstreams."""
    parser.add_argument("--genes", metavar="FILE", help="GTF, GFF3, or BED with strands, of the same genome")
    parser.add_argument(
        "--upstream", type=int, default=500, metavar="BP", help="bp before a gene's first base [%(default)s]"
    )


def add_step(parser: argparse.ArgumentParser, choices: str) -> None:
    """Add the option of the distance between windows; `choices` says which there are."""
    parser.add_argument(
        "--step", type=int, default=10, metavar="BP", help=f"bp from window to window, {choices} [%(default)s]"
    )


def _run(args: argparse.Namespace) -> None:
    from ..analysis.variant_files import variants_file

    score = partial(
        variants_file,
        args.input,
        args.genome,
        args.output,
        args.genes,
        format=args.format,
        upstream=args.upstream,
        step=args.step,
        precision=args.precision,
        origin=(args.model, args.backend),
        on_error=args.on_error,
        rejects=args.rejects,
    )
    with_predictor(args, score)

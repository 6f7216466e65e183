"""Push a model to the Hugging Face Hub."""

import argparse

from .common import quieten
from .terminal import one_line


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "publish",
        help="push a model to the Hugging Face Hub",
        description="Push a model with its card, ONNX files and endpoint handler to the Hub, as one commit.",
    )
    parser.add_argument(
        "kind",
        choices=("mlm", "regression", "conv"),
        help="the pretrained or the fine-tuned BERT, or the convolutions",
    )
    parser.add_argument("--repo", required=True, metavar="USER/NAME", help="made if there is none")
    parser.add_argument("--model", metavar="DIR", help="folder of a trained model [the package's own]")
    parser.add_argument("--revision", metavar="BRANCH", help="an existing branch [main]")
    parser.add_argument("--private", action="store_true", help="make the repository private")
    parser.add_argument("--dry-run", action="store_true", help="list files, bytes and SHA-256, and send nothing")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..hub.publish import preview, publish

    quieten()
    if args.dry_run:
        for file in preview(args.kind, args.repo, args.model):
            print(*file, sep="\t")
    else:
        print(one_line(publish(args.kind, args.repo, args.model, args.revision, args.private)))

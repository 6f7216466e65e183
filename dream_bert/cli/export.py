"""Make a folder of a model with ONNX files."""

import argparse

from .common import quieten


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "export",
        help="make a folder of a model with ONNX files",
        description="Make a folder with a model, its tokenizer, and the model in ONNX, in float32 and in int8.",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="new folder to make")
    parser.add_argument("--model", metavar="DIR_OR_ID", help="folder or Hub id of a model [the package's own]")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..export.folder import export_folder

    quieten()
    export_folder(args.output, args.model)

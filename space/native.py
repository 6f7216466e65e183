"""Predict the expression of native yeast promoters and write their histogram for the page.

    python space/native.py gpra_train.tsv.gz

reads a table with the columns `sequence` and `source`, selects the rows of source `native` (tiles of yeast promoters,
GEO GSE104878), and writes the number of rows in each bin of predicted expression to `space/page/native.json`.
"""

import argparse
import csv
import gzip
import json
from pathlib import Path

import numpy as np

from dream_bert import predict
from dream_bert.io.output import open_output, text_stream

OUTPUT = Path(__file__).parent / "page" / "native.json"
LOW, HIGH, WIDTH = 0.0, 17.0, 0.25
"""The range of expression and the width of a bin, in sorting-bin units."""


def histogram(expression: np.ndarray) -> dict:
    """Count expression in bins of WIDTH from LOW to HIGH; values outside count in the outermost bins.

    >>> sum(histogram(np.array([-0.1, 3.0, 3.1, 17.2]))["counts"])
    4
    """
    edges = np.arange(LOW, HIGH + WIDTH, WIDTH)
    counts, _ = np.histogram(np.clip(expression, LOW, HIGH), edges)
    return {"low": LOW, "high": HIGH, "width": WIDTH, "counts": counts.tolist()}


def native_sequences(table: Path) -> list[str]:
    """Read the sequences of source `native` from a gzipped TSV."""
    with gzip.open(table, "rt", encoding="utf-8", newline="") as file:
        return [row["sequence"] for row in csv.DictReader(file, delimiter="\t") if row["source"] == "native"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    result = histogram(predict(native_sequences(parser.parse_args().table)))
    with open_output(OUTPUT) as file, text_stream(file) as text:
        text.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()

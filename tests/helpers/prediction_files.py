"""Read predictions back from a file of any format."""

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow.parquet


def read_output(path: Path, format: str) -> tuple[list[str], list[float]]:
    """Ids and expressions of an output file."""
    if format == "parquet":
        table = pyarrow.parquet.read_table(path)
        assert [str(field.type) for field in table.schema] == ["string", "float"]
        return table["id"].to_pylist(), table["expression"].to_pylist()
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    assert text.endswith("\n")
    if format == "submission":
        return list(json.loads(text)), list(json.loads(text).values())
    if format == "jsonl":
        rows = [json.loads(line) for line in text.splitlines()]
    else:
        rows = list(csv.DictReader(io.StringIO(text), delimiter="," if format == "csv" else "\t"))
    assert all(list(row) == ["id", "expression"] for row in rows)
    return [row["id"] for row in rows], [float(row["expression"]) for row in rows]

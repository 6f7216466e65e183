"""Formats given by mistake are named, with what to convert them with."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from dream_bert.errors import ReadError
from dream_bert.io.foreign_formats import refuse_binary, refuse_text
from dream_bert.io.reader import read_records

BASES = "ttgacaggtcacgcagaggc"


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "x")
    return stream.getvalue()


def saved(write, *args) -> bytes:
    stream = io.BytesIO()
    write(*args, stream) if write is torch.save else write(stream, *args)
    return stream.getvalue()


FORMATS = {
    "GenBank": f"LOCUS       AB1 20 bp DNA linear\nORIGIN\n        1 {BASES}\n//\n",
    "EMBL": f"ID   X5; SV 1; linear; DNA; STD; FUN; 20 BP.\nXX\nSQ   Sequence\n     {BASES}\n//\n",
    "FASTQ": f"@read/7\n{BASES}\n+read/7\n{'F' * 20}\n",
    "SAM": f"@SQ\tSN:chrII\tLN:9\nr\t0\tchrII\t1\t9\t20M\t*\t0\t0\t{BASES}\t*\n",
    "VCF": "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\n",
    "GFF": "##gff-version 3\nchrII\tSGD\tgene\t5\t9\t.\t+\t.\tID=g\n",
    "GFF or GTF": '#!genome\nII\tens\texon\t5\t9\t.\t-\t.\tgene_id "g";\n',
    "BED": "chrII\t5\t85\nchrIV\t7\t87\n",
    "a UCSC track": "track name=x\nchr2\t5\t9\n",
    "wiggle": "fixedStep chrom=chrII start=1 step=1\n1\n",
    "JSON": json.dumps([{"sequence": BASES}]),
    "HTML": "<!DOCTYPE html>\n<html>",
    "XML": "<?xml version='1.0'?>\n<x/>",
    "a Git LFS pointer": "version https://git-lfs.github.com/spec/v1\n",
    "UTF-16 text": f">a\n{BASES}\n".encode("utf-16"),
    "UTF-32 text": f">a\n{BASES}\n".encode("utf-32"),
    "a bzip2 file": bz2.compress(BASES.encode()),
    "an xz file": lzma.compress(BASES.encode()),
    "a zip archive": zipped("promoters.fa"),
    "an Excel workbook": zipped("[Content_Types].xml"),
    "a PDF": b"%PDF-1.7\n",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n",
    "2bit": b"\x43\x27\x41\x1a" + bytes(12),
    "BAM": gzip.compress(b"BAM\x01" + bytes(12)),
    "BCF": gzip.compress(b"BCF\x02\x02" + bytes(12)),
    "bigBed": b"\xeb\xf2\x89\x87" + bytes(12),
    "gzipped twice": gzip.compress(gzip.compress(BASES.encode())),
    "a safetensors file": save({"weight": np.zeros(3, np.float32)}),
    "a pickle": pickle.dumps([BASES]),
    "a NumPy array": saved(np.save, np.zeros(3)),
    "an Arrow file": saved(lambda stream: pa.feather.write_feather(pa.table({"a": [1]}), stream)),
}


@pytest.mark.parametrize("zip_it", [False, True])
@pytest.mark.parametrize("kind", FORMATS)
def test_the_format_is_named(tmp_path, kind, zip_it):
    content = FORMATS[kind].encode() if isinstance(FORMATS[kind], str) else FORMATS[kind]
    path = tmp_path / "promoters"
    if content[:2] == b"\x1f\x8b":  # gzipped as it is
        zip_it = False
    path.write_bytes(gzip.compress(content) if zip_it else content)
    with pytest.raises(ReadError) as error:
        list(read_records(path))
    message = str(error.value)
    assert message.startswith(f"{path}:") and f": is {kind}" in message and "; " in message and message.isprintable()
    assert ("dream-bert variants" in message) == (kind in ("VCF", "BCF"))
    assert ("dream-bert windows" in message) == (kind in ("BED", "GFF", "GFF or GTF", "a UCSC track"))


@given(st.text("ACGTURYSWKMBDHVNacgtn", min_size=1), st.sampled_from(["", "\t3", "\t1.5"]))
def test_no_sequence_is_taken_for_another_format(sequence, label):
    line = f"{sequence}{label}\n"
    refuse_binary(line.encode()[:64], "input")
    refuse_text([(1, line)], "input")

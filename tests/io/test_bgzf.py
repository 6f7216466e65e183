"""Zipped text is BGZF, read here by the SAM specification."""

import gzip
import io
import os
import struct
import zlib
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from dream_bert.io.bgzf import BLOCK
from dream_bert.io.output import text_stream


def zipped(text):
    raw = io.BytesIO()
    with text_stream(raw, Path("out.gz")) as stream:
        stream.write(text)
    return raw.getvalue()


def blocks(content):
    """The contents of BGZF's blocks, by the SAM specification."""
    while content:
        magic, method, flags, extra, *field, length, size = struct.unpack("<HBB6xHBBHH", content[:18])
        assert (magic, method, flags, extra, bytes(field), length) == (0x8B1F, 8, 4, 6, b"BC", 2)
        block, content = content[: size + 1], content[size + 1 :]
        data = zlib.decompressobj(-15).decompress(block[18:-8])
        assert struct.unpack("<II", block[-8:]) == (zlib.crc32(data), len(data))
        assert len(data) <= 65536
        yield data


EMPTY = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # of the specification


@given(st.text(st.sampled_from("ACGT\t\né"), max_size=300), st.integers(0, 800))
@example("", 0)
@example("A", BLOCK - 1)
@example("A", BLOCK)
@example("A", 3 * BLOCK + 1)
def test_zipped_text_is_bgzf(text, times):
    text *= times + 1
    content = zipped(text)
    assert gzip.decompress(content).decode() == text
    assert b"".join(blocks(content)).decode() == text
    assert content.endswith(EMPTY) and content == zipped(text)


def test_incompressible_content_stays_within_a_block():
    raw = os.urandom(4 * BLOCK).decode("latin-1")
    assert b"".join(blocks(zipped(raw))).decode() == raw

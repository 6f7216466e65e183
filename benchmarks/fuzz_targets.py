"""The targets of the fuzzing: ways of reading agree, and unreadable input is an error of one line."""

import gzip
import json
import tempfile
from itertools import product
from pathlib import Path

from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamConvConfig, KmerTokenizer, PromoterDataset
from dream_bert.cli.terminal import one_line as printed
from dream_bert.data.bulk_reader import LONGEST_INSERT, Block, scan_blocks
from dream_bert.errors import CardError, DataError, ModelError, ReadError
from dream_bert.hub.card import render_card
from dream_bert.hub.handler import RequestError, _batch_size, _read
from dream_bert.inference.model_files import ONNX_FILES, TRAINING_INFO
from dream_bert.inference.onnx_backend import OnnxModel
from dream_bert.io.genes import read_genes, read_regions
from dream_bert.io.genome import read_genome
from dream_bert.io.reader import scan_records
from dream_bert.io.records import BadRow
from dream_bert.io.vcf import open_vcf
from dream_bert.metrics.files import score_files
from dream_bert.models.config_checks import read_config
from dream_bert.models.weights import read_weights
from dream_bert.sequence.construct import SequenceError, check_insert
from dream_bert.sequence.encoding import encode

LAYOUTS = [DreamBertConfig(stride=stride, context=context) for stride, context in [(1, 0), (3, 0), (3, 30)]]
TOKENIZERS = [KmerTokenizer.build(config.stride, config.context) for config in LAYOUTS]
KMERS = {"".join(kmer): number for number, kmer in enumerate(product("ACGTN", repeat=3), 5)}
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz."))
INPUT = FOLDER / "input"
TINY = dict(hidden_size=4, num_hidden_layers=2, num_attention_heads=2, intermediate_size=4, max_position_embeddings=8)
CONFIG = DreamBertConfig(stride=1, context=0, **TINY)
EXPECTED = BertForSequenceRegression(CONFIG).state_dict()


def one_line(error: Exception) -> str:
    message = printed(str(error))
    assert message and message.isprintable() and len(message) < 1000, repr(message)
    return message


def read(content: bytes) -> None:
    """Read rows one by one and in blocks, with and without labels; all agree."""
    INPUT.write_bytes(content)
    labelled, in_blocks = list(rows(scan_records(INPUT, labelled=True))), list(rows(scan_blocks(INPUT)))
    if is_damaged(labelled) or is_damaged(in_blocks):  # blocks may end some lines earlier
        rows_of_both = min(len(labelled), len(in_blocks)) - 1
        assert labelled[:rows_of_both] == in_blocks[:rows_of_both]
        return
    assert labelled == in_blocks
    unlabelled = list(rows(scan_records(INPUT)))
    if not isinstance(labelled[-1], str) and not isinstance(unlabelled[-1], str):
        assert len(labelled) == len(unlabelled)


def read_zipped(content: bytes) -> None:
    read(gzip.compress(content, 1))


def is_damaged(rows: list) -> bool:
    return isinstance(rows[-1], str) and "the gzip data are damaged" in rows[-1]


def rows(scanned):
    """Yield rows as preparation would use them, and a message if the reading fails."""
    try:
        for row in scanned:
            if isinstance(row, Block):
                yield from zip(row.inserts.to_pylist(), row.expression.tolist(), strict=True)
            elif isinstance(row, BadRow):
                one_line(row.error())
                yield row
            else:
                try:
                    yield check_insert(row.sequence, row.id, row.where, LONGEST_INSERT), row.expression
                except SequenceError as error:
                    yield (one_line(error),)
    except ReadError as error:
        yield one_line(error)


def score(content: bytes) -> None:
    """Score predictions by labels and subsets; the three files are separated by the byte 255."""
    paths = [INPUT.with_name(name) for name in ("predictions", "labels", "subsets")]
    for path, part in zip(paths, (content + b"\xff\xff").split(b"\xff"), strict=False):
        path.write_bytes(part)
    try:
        score_files(*paths)
    except ValueError as error:
        one_line(error)


def request(content: bytes) -> None:
    """Read an endpoint's request from JSON."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return
    try:
        ids, sequences = _read(data)
        _batch_size(data.get("parameters") or {})
        names = ids or map(str, range(len(sequences)))
        for name, sequence in zip(names, sequences, strict=False):
            check_insert(sequence, name)
    except (RequestError, SequenceError) as error:
        one_line(error)


def tokenise(content: bytes) -> None:
    """Compare `tokenizer.json`, the encoder, and the definition in plain Python."""
    # Python counts four separators as white space that the tokenizer's regular expressions do not.
    text = content.decode(errors="ignore").translate(dict.fromkeys(range(0x1C, 0x20)))
    try:
        insert = check_insert(text, "p")
    except SequenceError as error:
        one_line(error)
        return
    for config, tokenizer in zip(LAYOUTS, TOKENIZERS, strict=True):
        ids = tokenizer(text)["input_ids"]
        assert ids == encode([insert], config)["input_ids"][0].tolist(), config
        if not config.context:
            assert ids == [2, *defined(insert, config.stride), 3], config


def defined(insert: str, stride: int) -> list[int]:
    bases = "".join(base if base in "ACGT" else "N" for base in insert)
    bases += "N" * (max(0, 3 - len(bases)) if stride == 1 else -len(bases) % 3)
    return [KMERS[bases[i : i + 3]] for i in range(0, len(bases) - 2, stride)]


def configuration(content: bytes) -> None:
    """Read `config.json`; an accepted configuration has sizes within the ranges."""
    INPUT.write_bytes(content)
    try:
        fields = read_config(INPUT)
        kind = DreamConvConfig if fields.get("model_type") == "dream_conv" else DreamBertConfig
        config = kind.from_dict(fields)
    except ValueError as error:
        one_line(error)
        return
    assert 1 <= config.hidden_size <= 2048 and 3 <= config.max_position_embeddings <= 2048


def weights(content: bytes) -> None:
    """Read `model.safetensors`; accepted weights have the model's shapes."""
    INPUT.write_bytes(content)
    try:
        found = read_weights(INPUT, EXPECTED, "bert.", ignore_mismatched_sizes=True)
    except ValueError as error:
        one_line(error)
        return
    assert sum(weight.numel() for weight in found.values()) < 10_000


def load_tokenizer(content: bytes) -> None:
    """Load a folder with this `tokenizer.json`."""
    (FOLDER / "tokenizer" / "tokenizer.json").write_bytes(content)
    try:
        tokenizer = KmerTokenizer.from_pretrained(FOLDER / "tokenizer")
    except ValueError as error:
        one_line(error)
        return
    assert tokenizer.vocab_size == 130


def manifest(content: bytes) -> None:
    """Open prepared data with this `manifest.json`."""
    (FOLDER / "data" / "manifest.json").write_bytes(content)
    try:
        rows = PromoterDataset(FOLDER / "data", "regression", "train")
        rows.verify()
        rows.rows(range(len(rows)))
    except DataError as error:
        one_line(error)


def record(content: bytes) -> None:
    """Write the card of a folder with this `training_info.json`."""
    (FOLDER / "model" / TRAINING_INFO).write_bytes(content)
    try:
        render_card("conv", "user/name", FOLDER / "model")
    except CardError as error:
        one_line(error)


def graph(content: bytes) -> None:
    """Load a folder with this ONNX file."""
    (FOLDER / "exported" / ONNX_FILES["onnx"]).write_bytes(content)
    try:
        model = OnnxModel(str(FOLDER / "exported"), "onnx")
        assert model(encode(["ACGT"], CONFIG)).shape == (1, 1)
    except ModelError as error:
        one_line(error)


def annotation(content: bytes) -> None:
    """Read a genome, genes, regions and variants."""
    INPUT.write_bytes(content)
    for reading in (read_genome, read_genes, read_regions, count_variants):
        try:
            reading(INPUT)
        except ReadError as error:
            one_line(error)


def count_variants(path: Path) -> None:
    """Read all records; each good one is written again with the same fixed columns."""
    with open_vcf(path) as vcf:
        for row in vcf.records:
            if isinstance(row, BadRow):
                one_line(row.error())
            else:
                assert row.with_info({}).split("\t")[:7] == row.fixed[:7] and row.position >= 0 and row.alts


TARGETS = [read, read_zipped, score, request, tokenise]
TARGETS += [configuration, weights, load_tokenizer, manifest, record, graph, annotation]

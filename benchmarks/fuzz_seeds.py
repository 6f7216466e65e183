"""What the fuzzing starts from: the folders that fuzzed files go into, and good input for each target."""

import gzip
import io
import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from fuzz_targets import CONFIG, FOLDER, INPUT, TARGETS
from safetensors.torch import save_file

from dream_bert import BertForSequenceRegression, KmerTokenizer
from dream_bert.data.prepare import prepare
from dream_bert.export.folder import export_onnx
from dream_bert.inference.model_files import CHECKPOINTS, ONNX_FILES, TRAINING_INFO
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START


def make_folders() -> None:
    """Write the folders that the fuzzed files go into: a tokenizer, prepared data, a model, an exported model."""
    KmerTokenizer.build(1, 0).save_pretrained(FOLDER / "tokenizer")
    rows = np.random.default_rng(0).choice(list("ACGT"), (9, 12))
    INPUT.write_text("".join(f"{''.join(row)}\t{number}\n" for number, row in enumerate(rows)))
    prepare([INPUT], FOLDER / "data", ["regression"], validation=1, test=1)
    (FOLDER / "model").mkdir()
    (FOLDER / "model" / "config.json").write_bytes((CHECKPOINTS / "dream-promoter-conv" / "config.json").read_bytes())
    torch.manual_seed(0)
    model = BertForSequenceRegression(CONFIG).eval()
    save_file({name: weight.clone() for name, weight in model.state_dict().items()}, FOLDER / "weights")
    CONFIG.save_pretrained(FOLDER / "exported")
    export_onnx(model, FOLDER / "exported")


def seeds() -> list[bytes]:
    """Return inputs of all targets; the first byte of each is the target's number."""
    parquet = io.BytesIO()
    pq.write_table(pa.table({"id": ["a", "b"], "sequence": ["ACGT", None], "expression": [1.5, 2]}), parquet)
    oligo = OLIGO_START + "ACGTACGT" + OLIGO_END
    texts = [
        f"{oligo}\t11.5\n{oligo}\t3\nACGTN\t-0.25\n",
        "ACGT\t1\r\n\r\nacgu\tnan\rAC GT\t1e39\n",
        "\ufeff>p1|11.5 a\nACGT\nAC\n>p2|x\n\n>\nA\n",
        "name\tSequence\textra\tExpression\np\tACGT\t\t1\nq\tA\t\n",
        'activity,id,sequence\n1,"a\nb","ACGT"\n2,"c,A\n',
    ]
    labels = b'row\texpression\n0\t1\n1\t3\n\xff{"high": [0, 1], "SNVs": [[0, 1], [1, 0]]}'
    scores = [b'{"0": 1, "1": 2.5}\xff' + labels, b"id\texpression\n0\t1\n1\t2\n\xff" + labels]
    requests = ['{"inputs": ">a b\\nACGT\\n>\\nAC"}', '{"inputs": ["ACGT", "acgu"], "parameters": {"batch_size": 3}}']
    tokens = [oligo, "NN" + oligo.lower(), "acgu ryk\nNNN", "[MASK]A\x1cC\u00a0G\u2028\u0085T"]
    genome = Path(__file__).parents[1] / "examples" / "genome"
    annotations = [path.read_bytes() for path in sorted(genome.iterdir())] + [b"I\t10\t90\tA\t0\t-\n"]
    conv = CHECKPOINTS / "dream-promoter-conv"
    header = json.dumps({"classifier.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    plain = [text.encode() for text in texts] + [parquet.getvalue(), texts[0].encode("utf-16")]
    contents = {
        "read": [*plain, gzip.compress(plain[0]), gzip.compress(plain[3])[:-9]],
        "read_zipped": plain,
        "score": scores,
        "request": [text.encode() for text in requests],
        "tokenise": [text.encode() for text in tokens],
        "configuration": [(conv / "config.json").read_bytes(), CONFIG.to_json_string().encode()],
        "weights": [struct.pack("<Q", len(header)) + header + bytes(4), (FOLDER / "weights").read_bytes()],
        "load_tokenizer": [(FOLDER / "tokenizer" / "tokenizer.json").read_bytes()],
        "manifest": [(FOLDER / "data" / "manifest.json").read_bytes()],
        "record": [(conv / TRAINING_INFO).read_bytes()],
        "graph": [(FOLDER / "exported" / ONNX_FILES["onnx"]).read_bytes()],
        "annotation": [*annotations, *map(gzip.compress, annotations)],
    }
    names = [target.__name__ for target in TARGETS]
    return [bytes([names.index(name)]) + content for name in names for content in contents[name]]

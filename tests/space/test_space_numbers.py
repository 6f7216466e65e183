"""The page's scripts compute ids, single changes and percentiles, and write TSV, as Python does, in node."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from space_site import LONGEST, NO_PACKAGES, PACKAGES, run_in_node

from dream_bert import DreamBertConfig
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START
from dream_bert.sequence.encoding import encode

inserts = st.text("ACGTNRY", min_size=1, max_size=LONGEST) | st.sampled_from(
    [
        OLIGO_START,
        OLIGO_END,
        "N" + OLIGO_START + "A",
        OLIGO_START + OLIGO_START,
        OLIGO_END + OLIGO_END,
        "A",
        "NN",
        "ACG",
    ]
)


@settings(max_examples=5)
@given(st.lists(inserts, min_size=10, max_size=60))
def test_ids_are_those_of_python(many):
    if not PACKAGES.is_dir():
        pytest.skip(NO_PACKAGES)
    files = [str(DEFAULT_MODEL / name) for name in ("tokenizer.json", "tokenizer_config.json")]
    ids = run_in_node(
        """import { Tokenizer } from "@huggingface/tokenizers";
        import { toOligo } from "./construct.js";
        const tokenizer = new Tokenizer(...input.files.map((path) => JSON.parse(readFileSync(path))));
        output = input.many.map((insert) => tokenizer.encode(toOligo(insert)).ids);""",
        {"many": many, "files": files},
    )
    encoded = encode(many, DreamBertConfig.from_pretrained(DEFAULT_MODEL))
    rows = zip(encoded["input_ids"], encoded["attention_mask"], strict=True)
    assert ids == [row[mask == 1].tolist() for row, mask in rows]


def test_tsv_is_that_of_the_csv_module():
    rows = [["id", "expression"], ["p1", "1.500000"], ['a"b', ""], ['"', "x y"], ["tab\there", "new\nline"]]
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows(rows)
    source = 'import { tsv } from "./download.js"; const [header, ...rows] = input; output = tsv(header, rows);'
    assert run_in_node(source, rows) == text.getvalue()


def test_single_changes():
    changes = run_in_node('import { singleChanges } from "./mutagenesis.js"; output = singleChanges(input);', "ANT")
    names = " ".join(f"{change['from']}{change['position']}{change['to']}" for change in changes)
    assert names == "A1C A1G A1T N2A N2C N2G N2T T3A T3C T3G"
    assert [change["insert"] for change in changes[:4]] == ["CNT", "GNT", "TNT", "AAT"]


def test_strongest_changes_have_their_sign():
    source = """import { strongest } from "./mutagenesis.js";
        output = strongest(input.map((effect) => ({ effect })), 2);"""
    by_effect = {name: [row["effect"] for row in rows] for name, rows in run_in_node(source, [1, -3, 0, 2, 4]).items()}
    assert by_effect == {"best": [4, 2], "worst": [-3]}


def test_percentiles_are_those_of_evenly_filled_bins():
    counts = np.array([3, 1, 5, 2])
    edges, share_below = np.arange(5.0), np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
    values, shares = [-1, 0, 0.5, 1.7, 2.5, 4, 9], [0.1, 0.25, 0.5, 0.75, 0.9, 1]
    below, quantiles = run_in_node(
        """import { Distribution } from "./histogram.js";
        const native = new Distribution({ low: 0, high: 4, width: 1, counts: input.counts });
        output = [input.values.map((v) => native.below(v)), input.shares.map((s) => native.quantile(s))];""",
        {"counts": counts.tolist(), "values": values, "shares": shares},
    )
    assert below == pytest.approx(np.interp(values, edges, share_below))
    assert quantiles == pytest.approx(np.interp(shares, share_below, edges))

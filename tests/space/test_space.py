"""The Space: what the build gathers, and that the page's scripts read and encode sequences as Python does."""

import csv
import io
import json
import re
import urllib.request
import warnings
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from space_site import LONGEST, NO_PACKAGES, PACKAGES, PAGE, SPACE, run_in_node, script, served

from dream_bert import DreamBertConfig
from dream_bert.errors import ReadError
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.inference.notes import InsertReader
from dream_bert.io.reader import read_records, scan_records
from dream_bert.io.records import BadRow
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, SequenceError
from dream_bert.sequence.encoding import encode
from dream_bert.sequence.orientation import find_oligo, reverse_complement


class _Links(HTMLParser):
    """What a page loads, and what it leads to."""

    def __init__(self, html: str):
        super().__init__()
        self.loads, self.leads_to = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        links = [value for name, value in attributes if name in ("src", "href")]
        (self.leads_to if tag == "a" else self.loads).extend(links)


def test_the_page_loads_nothing_from_another_host():
    links = _Links((PAGE / "index.html").read_text())
    assert links.loads and not [link for link in links.loads if ":" in link or link.startswith("/")]
    assert all(link.startswith("https://doi.org/") for link in links.leads_to)
    for source in [*PAGE.glob("*.js"), *PAGE.glob("*.css")]:
        assert "//" not in re.sub(r"^\s*//.*| // .*", "", source.read_text(), flags=re.MULTILINE), source.name
    policy = re.search(r'content="(default-src [^"]*)"', (PAGE / "index.html").read_text())[1]
    assert "default-src 'self'" in policy and "http" not in policy and "*" not in policy


def test_the_space_is_static_and_isolated():
    front_matter = yaml.safe_load((SPACE / "README.md").read_text().split("---\n")[1])
    assert (front_matter["sdk"], front_matter["app_file"]) == ("static", "index.html")
    assert front_matter["custom_headers"]["cross-origin-opener-policy"] == "same-origin"
    assert front_matter["custom_headers"]["cross-origin-embedder-policy"] == "require-corp"


def test_the_histogram_is_of_native_promoters(shared_data):
    native = script("native")
    histogram = json.loads((PAGE / "native.json").read_text())
    assert sum(histogram["counts"]) == len(native.native_sequences(shared_data / "gpra_train.tsv.gz")) == 58_390
    assert len(histogram["counts"]) * histogram["width"] == histogram["high"] - histogram["low"]


@pytest.fixture(scope="module")
def build():
    pytest.importorskip("onnxruntime")
    return script("build")


def _examples() -> list[str]:
    tasks = re.findall('name="task" value="([a-z]+)"', (PAGE / "index.html").read_text())
    return [f"examples/{task}.fa" for task in tasks]


def _imports(source: Path) -> list[str]:
    return re.findall(r'(?:^import [^;]*?|new URL\()"([^"]+)"', source.read_text(), flags=re.MULTILINE)


def test_a_build_holds_all_that_the_page_names(build, tmp_path):
    packages = tmp_path / "node_modules"
    for name in build.LIBRARIES:
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("library")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old").touch()
    build.build(tmp_path / "dist", packages)

    dist = tmp_path / "dist"
    named = [*_Links((dist / "index.html").read_text()).loads, "README.md", *_examples(), *build.DOWNLOADS]
    named += [name for source in dist.glob("*.js") for name in _imports(source)]
    assert not [name for name in named if not (dist / name).is_file()]
    assert len(_examples()) == 4 and not (dist / "old").exists()
    facts = json.loads((dist / "model.json").read_text())
    assert {name: facts[name] for name in MODEL} == MODEL
    assert facts["bytes"] == {name: (dist / name).stat().st_size for name in build.DOWNLOADS}
    assert {path.name for path in tmp_path.iterdir()} == {"dist", "node_modules"}


def test_a_build_without_libraries_says_what_to_do_and_changes_nothing(build, tmp_path):
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old").touch()
    with pytest.raises(build.BuildError, match=r"ort\.wasm\.min\.mjs: is missing; run `npm --prefix space ci"):
        build.build(tmp_path / "dist", tmp_path / "node_modules")
    assert [path.name for path in tmp_path.rglob("*")] == ["dist", "old"]


def test_the_server_sends_the_headers_of_the_space(tmp_path):
    (tmp_path / "README.md").write_text((SPACE / "README.md").read_text())
    (tmp_path / "worker.mjs").touch()
    with served(tmp_path) as url, urllib.request.urlopen(f"{url}/worker.mjs") as answer:
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["content-type"] == "text/javascript"


# --- what needs node ------------------------------------------------------------------------------------------------


SPACES = " \x0b\x1c\x85\xa0\u2003\u2028"
PIECES = [
    ">",
    "> p1 x",
    ">p2|3",
    "ACGT",
    "acgu",
    "NNRY",
    "X",
    "-",
    "é",
    "A\U0001f9ec",
    "\t1.5",
    "\n",
    "\n",
    "\r\n",
    "\r",
]
texts = st.lists(
    st.sampled_from([*PIECES, *SPACES, OLIGO_START, OLIGO_END, "N" + OLIGO_START, "ACGT" * 20, "TTTT" * 32])
)


MODEL = {"longest": LONGEST, "insert_lengths": [80, 80]}


def read_on_the_page(texts: list[str], orient: bool = False) -> list[dict]:
    """Read each text as the page does: `promoters`, `problems`, and the number of `oligos`."""
    source = """import { readPromoters } from "./reading.js";
        output = input.texts.map((text) => readPromoters(text, input.model, input.orient));"""
    return run_in_node(source, {"texts": texts, "model": MODEL, "orient": orient})


@settings(max_examples=15)
@given(st.lists(texts.map("".join), min_size=20, max_size=40))
def test_text_is_read_as_python_reads_it(tmp_path_factory, many):
    many = [text + "\n" for text in many]
    path = tmp_path_factory.mktemp("space") / "text"
    for text, page in zip(many, read_on_the_page(many), strict=True):
        path.write_bytes(text.encode())
        assert (page["promoters"], _faults(page)) == _read_in_python(path), repr(text)


def _faults(page: dict) -> list:
    """What is wrong with each record as (line, message), or "refused" for a whole text."""
    problems = page["problems"]
    return "refused" if problems and "whole" in problems[0] else [_fault(p["line"], p["message"]) for p in problems]


def _fault(line: int, message: str) -> tuple[int, str]:
    message = re.sub("^record .*?: ", "", message)  # Python's has the id as `repr` writes it
    return line, message.removesuffix(" (dream-bert windows)")  # on the page this is a task beside the others


def _read_in_python(path: Path, orient: bool = False) -> tuple[list, list]:
    reader = InsertReader(LONGEST, MODEL["insert_lengths"], orient)
    promoters, faults = [], []
    try:
        with warnings.catch_warnings(action="ignore"):
            records = list(scan_records(path))
        for record in records:
            if isinstance(record, BadRow):
                faults.append(_fault(int(record.where.rpartition(":")[2]), record.detail))
                continue
            try:
                insert, note = reader(record)
                promoters.append({"id": record.id, "insert": insert, "note": note})
            except SequenceError as error:
                line = int(record.where.rpartition(":")[2])
                faults.append(_fault(line, str(error).removeprefix(f"{record.where}: ")))
    except ReadError as error:
        return [], [] if "has no record" in str(error) else "refused"
    return promoters, faults


def _changed(constant: str):
    """A constant with up to 4 bases changed, or a part of it."""
    places = st.lists(st.integers(0, len(constant) - 1), max_size=4)
    changed = st.tuples(places, st.sampled_from("ACGTN")).map(
        lambda change: "".join(change[1] if i in change[0] else base for i, base in enumerate(constant))
    )
    return changed | st.integers(0, len(constant)).map(lambda begin: constant[begin:])


_flanks = st.just("") | st.text("ACGTN", max_size=4)
_oligos = st.tuples(
    _flanks, _changed(OLIGO_START), st.text("ACGTRYSWKMBDHVN", max_size=90), _changed(OLIGO_END), _flanks
).map("".join)


@settings(max_examples=5)
@given(st.lists(_oligos | _oligos.map(reverse_complement), min_size=40, max_size=80), st.booleans())
def test_oligos_are_read_and_noted_as_in_python(tmp_path_factory, many, orient):
    text = "".join(f">{i}\n{sequence}\n" for i, sequence in enumerate(many))
    path = tmp_path_factory.mktemp("space") / "text"
    path.write_text(text)
    (page,) = read_on_the_page([text], orient)
    assert (page["promoters"], _faults(page)) == _read_in_python(path, orient)
    assert page["oligos"] == sum(find_oligo(sequence) is not None for sequence in many)


def test_fasta_of_windows_and_spreadsheets():
    (page,) = read_on_the_page(["\ufeff>a\r\nACGT\r\n\r\n>b first\r\nAC GT\r\n>\r\nTT"])
    inserts = [("a", "ACGT"), ("b", "ACGT"), ("2", "TT")]
    assert [(promoter["id"], promoter["insert"]) for promoter in page["promoters"]] == inserts
    assert not page["problems"]


A80, B80 = "ACGTTGCA" * 10, "TTGACCAT" * 10
READ = {
    "FASTA with comments": (f"; made by\n# hand\n>u\n{A80}\n; more\n>v x\n{B80}\n", ["u", "v"]),
    "FASTA with spaces before the names": (f"> tile 0\n{A80}\n>  tile 1 \n{B80}\n", ["tile 0", "tile 1"]),
    "FASTA with one first word": (f">tile 0\n{A80}\n>tile 1\n{B80}\n", ["tile 0", "tile 1"]),
    "FASTA with one id twice": (f">u\n{A80}\n>u\n{B80}\n", ["u", "u"]),
    "semicolons and a byte order mark": (f"\ufeffName;Oligo;Activity\nu;{A80};0,5\nv;{B80};7,25\n", ["u", "v"]),
    "sep=": (f"sep=|\nsequence_id|dna\nu|{A80}\nv|{B80}\n", ["u", "v"]),
    "a column of another usual name": (f"oligo sequence\n{A80}\n{B80}\n", ["0", "1"]),
    "a header after #": (f"#seq_id\tSeq\tn\nu\t{A80}\t1\nv\t{B80}\t2\n", ["u", "v"]),
    "comments in a table": (f"# GEO\n#\nid,insert\nu,{A80}\n# half\nv,{B80}\n", ["u", "v"]),
    "comments among lines": (f"# one\n{A80}\n# two\n{B80}\n", ["0", "1"]),
    "row names of write.table": (f'"seq"\t"n"\n"u1"\t"{A80}"\t1\n"v1"\t"{B80}"\t2\n', ["u1", "v1"]),
    "row names beside one column": (f'"seq"\n"u1"\t"{A80}"\n"v1"\t"{B80}"\n', ["u1", "v1"]),
    "row names of pandas": (f",seq\nu,{A80}\nv,{B80}\n", ["u", "v"]),
    "names and sequences alone": (f"u-1,{A80}\nv-1,{B80}\n", ["u-1", "v-1"]),
    "sequences and labels": (f"{A80}\t1.5\n{B80}\t2\n", ["0", "1"]),
    "quotes, commas and line breaks": (f'id,seq\n"u,""1""",{A80}\n"v\n2",{B80}\n', ['u,"1"', "v\n2"]),
}


def test_tables_and_fasta_of_others_are_read_as_in_python(tmp_path):
    pages = read_on_the_page([text for text, _ in READ.values()])
    for (name, (text, ids)), page in zip(READ.items(), pages, strict=True):
        assert [promoter["id"] for promoter in page["promoters"]] == ids, name
        assert [promoter["insert"] for promoter in page["promoters"]] == [A80, B80], name
        (tmp_path / "text").write_text(text)
        assert (page["promoters"], _faults(page)) == _read_in_python(tmp_path / "text"), name


REFUSED = {
    f"tag\n{A80}\n{B80}\n": "has no column 'sequence' but tag",
    f"ref\tchr\n{A80}\t{B80}\n{B80}\t{A80}\n": "has no column 'sequence' but ref, chr",
    f"id\tvalue\nu\t{A80}\n": "has no column 'sequence' but id, value",
    f"seq,n,seq\n{A80},1,{B80}\n": "has 2 columns 'seq'",
    f"{A80},{B80}\n{B80},{A80}\n": "has 2 columns and no header, and it is unclear which holds the sequences",
    f"id seq\nu {A80}\n": "the columns are separated by spaces",
    "LOCUS       SCU49845     5028 bp    DNA\n": "is GenBank, which is not read here",
    "ID   X56734; SV 1; linear\n": "is EMBL, which is not read here",
    f"@read\n{A80}\n+\n{'F' * 80}\n": "is FASTQ, which is not read here",
    "##fileformat=VCFv4.1\n##source=x\n": "is VCF, which is not read here",
    "##gff-version 3\n": "is GFF, which is not read here",
    "@HD\tVN:1.6\n": "is SAM, which is not read here",
    "chrII\t5\t85\tu\n": "is BED, which is not read here",
    "CLUSTAL W (1.83)\n\nu ACGT\n": "is a Clustal alignment, which is not read here",
    "#NEXUS\nbegin data;\n": "is NEXUS, which is not read here",
    "<!DOCTYPE html>\n<p>\n": "is HTML, which is not read here",
    f'[{{"seq": "{A80}"}}]': "is JSON, which is not read here",
}


def test_what_cannot_be_read_is_named_as_in_python_and_nothing_of_it_predicted(tmp_path):
    for (text, what), page in zip(REFUSED.items(), read_on_the_page(list(REFUSED)), strict=True):
        assert page["promoters"] == [], text
        (problem,) = page["problems"]
        assert problem["whole"] and problem["message"].startswith(f"{what}; "), text
        (tmp_path / "text").write_text(text)
        with pytest.raises(ReadError, match=re.escape(f"text:{problem['line']}: {what}; ")):
            list(read_records(tmp_path / "text"))


def test_a_quote_that_is_not_closed_is_named():
    (page,) = read_on_the_page([f'id,seq\n"u,{A80}\nv,{B80}\n'])
    assert page["problems"] == [
        {"line": 2, "message": "has a quote that is not closed; close or remove it", "whole": True}
    ]


def test_a_row_with_other_columns_than_the_header_is_left_out():
    (page,) = read_on_the_page([f"id,seq\nu,{A80},1\nv,{B80}\n"])
    assert [promoter["id"] for promoter in page["promoters"]] == ["v"]
    what = "the row has 3 columns and the header 2; correct or remove the row"
    assert page["problems"] == [{"line": 2, "message": f"record '0': {what}"}]


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

"""Files of windows: tables, tracks and pictures of sequences and of a genome, and every refusal."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pyBigWig
import pytest
from closeness import assert_close
from made_genome import ToyPredictor, other_strand, random_bases, toy_expression, toy_windows, write_fasta
from one_by_one import LAYOUT

from dream_bert.analysis.window_files import windows_file
from dream_bert.cli.main import main
from dream_bert.errors import InputWarning

CONTIGS = {"I": random_bases(1000), "II": random_bases(300, 2), "tiny": "ACGT"}
GENES = "I\t600\t700\tright\t0\t+\nchrI\t100\t250\tleft\t0\t-\nII\t50\t90\tnear\t0\t+\n"


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_fasta(tmp_path / "genome.fa", CONTIGS)
    (tmp_path / "genes.bed").write_text(GENES)
    (tmp_path / "regions.bed").write_text("I\t100\t300\ta\nII\t10\t150\tb\nI\t250\t400\tc\n")
    (tmp_path / "long.fa").write_text(f">x\n{CONTIGS['I']}\n>y\n{CONTIGS['II']}\n")
    return tmp_path


def table(path) -> list[list[str]]:
    header, *lines = [line.split("\t") for line in Path(path).read_text().splitlines()]
    assert header == ["id", *header[1:-4], "start", "end", "strand", "expression"]
    return lines


def test_a_table_of_sequences(inputs):
    assert windows_file("long.fa", "out.tsv", ToyPredictor(chunk=50), step=50, both_strands=True) == 2 * (19 + 5)
    expected = [
        (name, *row)
        for name, bases in zip("xy", CONTIGS.values(), strict=False)
        for row in toy_windows(bases, 50, "+-")
    ]
    found = table("out.tsv")
    assert [row[:4] for row in found] == [[name, str(s), str(s + 80), strand] for name, s, strand, _ in expected]
    assert_close([float(row[4]) for row in found], [row[3] for row in expected], decimals=4)


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_other_tables_hold_the_same(inputs, format):
    windows_file("long.fa", "out.tsv", ToyPredictor())
    windows_file("long.fa", f"out.{format}", ToyPredictor())
    if format == "parquet":
        rows = pq.read_table("out.parquet").to_pylist()
    else:
        rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [
        [row["id"], str(row["start"]), str(row["end"]), row["strand"], f"{row['expression']:.4f}"] for row in rows
    ] == table("out.tsv")


@pytest.mark.parametrize("both", [False, True])
def test_upstreams_of_genes(inputs, both):
    with pytest.warns(InputWarning, match="^1 of 3 upstreams have less than the 80 bp of a window; "):
        windows_file(
            None, "out.tsv", ToyPredictor(), genome="genome.fa", genes="genes.bed", upstream=120, both_strands=both
        )
    expected = []
    for name, strand, begin, end in (("right", "+", 480, 600), ("left", "-", 250, 370)):
        for read in (strand, {"+": "-", "-": "+"}[strand])[: 1 + both]:
            for start in range(begin, end - 79, 10):
                window = CONTIGS["I"][start : start + 80]
                value = toy_expression(window if read == "+" else other_strand(window))
                expected.append((name, "I", str(start), str(start + 80), read, value))
    found = table("out.tsv")
    assert [tuple(row[:5]) for row in found] == [row[:5] for row in expected]
    assert_close([float(row[5]) for row in found], [row[5] for row in expected], decimals=4)


def test_a_whole_genome_as_a_track(inputs):
    for name in ("out.bw", "out.bedgraph", "out.bg.gz"):
        with pytest.warns(InputWarning, match="^1 of 3 contigs have less than the 80 bp of a window; "):
            windows_file(None, name, ToyPredictor(chunk=40), genome="genome.fa")
    lines = [line.split("\t") for line in Path("out.bedgraph").read_text().splitlines()]
    expected = [
        (contig, start + 35, start + 45, value)
        for contig in ("I", "II")
        for start, _, value in toy_windows(CONTIGS[contig], 10, "+")
    ]
    assert [(contig, int(start), int(end)) for contig, start, end, _ in lines] == [row[:3] for row in expected]
    assert_close([float(line[3]) for line in lines], [row[3] for row in expected], decimals=4)
    with pyBigWig.open("out.bw") as track:
        assert track.chroms() == {name: len(bases) for name, bases in CONTIGS.items()}
        intervals = [(contig, *row) for contig in ("I", "II") for row in track.intervals(contig)]
        assert track.intervals("tiny") is None
    assert [row[:3] for row in intervals] == [row[:3] for row in expected]
    assert_close([row[3] for row in intervals], [row[3] for row in expected])


def test_regions_of_a_track_are_sorted_and_do_not_overlap(inputs):
    windows_file(None, "out.bedgraph", ToyPredictor(), genome="genome.fa", regions="regions.bed", step=20)
    lines = [line.split("\t") for line in Path("out.bedgraph").read_text().splitlines()]
    places = [(contig, int(start), int(end)) for contig, start, end, _ in lines]
    assert places == sorted(places)
    for (contig, _, end), (other, start, _) in zip(places, places[1:], strict=False):
        assert contig != other or end <= start
    # a: windows from 100 to 220, their middles 130 to 270; c: from 250, middles from 280
    assert places[:7] == [("I", start, start + 20) for start in range(130, 270, 20)]
    assert places[7] == ("I", 280, 300)


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_picture(inputs, suffix):
    for number, options in enumerate((dict(source="one.fa"), dict(genome="genome.fa", regions="one.bed"))):
        Path("one.fa").write_text(f">a|b $x$\n{CONTIGS['I']}\n")
        Path("one.bed").write_text("I\t100\t300\ta\t0\t-\n")
        windows_file(
            output="out.tsv", model=ToyPredictor(), plot=f"{number}.{suffix}", both_strands=not number, **options
        )
        content = Path(f"{number}.{suffix}").read_bytes()
        assert content.startswith({"svg": b"<?xml", "png": b"\x89PNG"}[suffix])


BAD = [
    ([], "give either sequences, or a genome "),
    (["long.fa", "--genome", "genome.fa"], "give either sequences, or a genome "),
    (["long.fa", "--genes", "genes.bed"], "regions and genes are parts of a genome; "),
    (["--genome", "genome.fa", "--genes", "genes.bed", "--regions", "regions.bed"], "give regions or genes, not both"),
    (["none.fa"], "none.fa: No such file or directory"),
    (["--genome", "none.fa"], "none.fa: No such file or directory"),
    (["--genome", "tiny.fa"], "tiny.fa: has no part of 80 bp"),
    (["--genome", "genome.fa", "--regions", "off.bed"], "off.bed:1: 'r' ends at 1001, and I has 1000 bp; "),
    (["--genome", "genome.fa", "--regions", "short.bed"], "short.bed:1: 'I:0-79' has 79 bp and a window has 80; "),
    (["--genome", "genome.fa", "--regions", "other.bed"], "other.bed:1: contig 'III' is not in the genome, "),
    (["--genome", "genome.fa", "--genes", "regions.bed"], "regions.bed:1: has 4 columns "),
    (["short.fa"], "short.fa:1: record 's': the sequence has 4 bp and a window has 80; "),
    (["long.fa", "-o", "long.fa"], "long.fa: is an input, too; "),
    (["--genome", "genome.fa", "-o", "genome.fa"], "genome.fa: is an input, too; "),
    (["long.fa", "-o", "out.tsv", "--plot", "out.tsv"], "out.tsv: is another output, too; "),
    (["long.fa", "--plot", "out.pdf"], "out.pdf: the suffix '.pdf' names no format"),
    (["long.fa", "--plot", "out.svg"], "out.svg: a picture shows one sequence, and there is another ('y'); "),
    (["long.fa", "-o", "out.bw"], "bigwig is a track of a genome; "),
    (["--genome", "genome.fa", "--format", "bigwig"], "bigwig compresses itself and needs a file of its own; "),
    (["--genome", "genome.fa", "-o", "out.bw.gz"], "bigwig compresses itself and needs a file of its own; "),
    (["--genome", "genome.fa", "-o", "out.bw", "--both-strands"], "a track holds one strand; "),
    (
        ["--genome", "genome.fa", "--genes", "genes.bed", "-o", "out.bg"],
        "a track holds one strand and these are on both; ",
    ),
    (["--genome", "n.fa", "-o", "out.bw"], "no window has a prediction, "),
    (["long.fa", "--step", "0"], "step is 0 bp; give at least 1"),
    (["--genome", "genome.fa", "--genes", "genes.bed", "--upstream", "0"], "upstream is 0 bp; give at least 1"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(inputs, tiny_model, capsys, arguments, message):
    tiny_model(**LAYOUT).save_pretrained("mine")
    for name, content in {
        "tiny.fa": ">t\nACGT\n",
        "n.fa": f">n\n{'N' * 90}\n",
        "short.fa": ">s\nACGT\n",
        "off.bed": "I\t900\t1001\tr\n",
        "short.bed": "I\t0\t79\n",
        "other.bed": "III\t0\t100\n",
    }.items():
        Path(name).write_text(content)
    capsys.readouterr()
    before = {path: path.read_bytes() for path in inputs.iterdir() if path.is_file()}
    options = [] if "-o" in arguments or "--format" in arguments else ["-o", "out.tsv"]
    assert main(["windows", *arguments, *options, "--model", "mine"]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if " are left out" not in line]
    assert len(errors) == 1 and errors[0].startswith(f"dream-bert: {message}"), errors
    assert {path: path.read_bytes() for path in inputs.iterdir() if path.is_file()} == before


def test_bad_regions_are_left_out_and_listed(inputs):
    Path("bad.bed").write_text("I\t900\t1001\tr\nI\t0\t80\tgood\nIII\t0\t80\tx\nI\t0\t9\ty\n")
    with pytest.warns(InputWarning) as caught:
        count = windows_file(
            None,
            "out.tsv",
            ToyPredictor(),
            genome="genome.fa",
            regions="bad.bed",
            on_error="skip",
            rejects="rejects.tsv",
        )
    assert count == 1 and [row[0] for row in table("out.tsv")] == ["good"]
    messages = [str(warning.message) for warning in caught]
    assert messages == ["skipped 2 rows: not on the genome", "skipped 1 rows: shorter than a window"]
    assert [line.split("\t")[0] for line in Path("rejects.tsv").read_text().splitlines()[1:]] == [
        "bad.bed:1",
        "bad.bed:3",
        "bad.bed:4",
    ]


def test_predict_names_windows(inputs, tiny_model, capsys):
    tiny_model(**LAYOUT).save_pretrained("mine")
    assert main(["predict", "long.fa", "--model", "mine"]) == 2
    assert "the model reads at most 128 bp; score windows of it (dream-bert windows)" in capsys.readouterr().err


def test_windows_without_a_prediction_are_counted(inputs):
    Path("n.fa").write_text(f">n\n{'N' * 80}{random_bases(80)}\n")
    with pytest.warns(InputWarning, match="^8 of 9 windows hold more than 10 % N; they are not predicted$"):
        windows_file("n.fa", "out.tsv", ToyPredictor())
    assert [row[4] == "" for row in table("out.tsv")] == [True] * 8 + [False]

"""Every option of `dream-bert predict` with every kind of model and backend, by the command line."""

import csv

import pytest
import torch
from closeness import assert_close
from plasmid import PLASMID_AROUND_INSERT

import dream_bert.export.quantize
from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamConvConfig, DreamConvForSequenceRegression
from dream_bert.cli.main import main
from dream_bert.export.folder import export_folder
from dream_bert.inference.prediction import predict
from dream_bert.sequence.orientation import reverse_complement

START, END = PLASMID_AROUND_INSERT[0][-17:], PLASMID_AROUND_INSERT[1][:13]
INSERT, OTHER = "GATTACACCT" * 8, "CCTGAAGTTC" * 8
REVERSED = reverse_complement(START + INSERT + END)
CALIBRATION = {"expression": [0.0], "spread": [1.0], "ratios": [1.0] * 45}

MODELS = {
    "bert": lambda **kwargs: BertForSequenceRegression(
        DreamBertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
                        stride=1, context=0, max_position_embeddings=128, initializer_range=0.5, **kwargs)
    ),
    "conv": lambda **kwargs: DreamConvForSequenceRegression(
        DreamConvConfig(hidden_size=6, motif_size=5, kernel_size=3, max_position_embeddings=128, **kwargs)
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=MODELS)
def folder(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    MODELS[request.param](calibration=CALIBRATION, insert_lengths=[80, 80]).save_pretrained(path / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dream_bert.export.quantize, "CALIBRATION_ROWS", 2)
        export_folder(path / "exported", path / "model")
    return path / "exported"


@pytest.fixture
def inputs(tmp_path):
    (tmp_path / "a.tsv").write_text(f"tile\tdna\tgene\nx\t{INSERT}\tg1\ny\tAC-T\tg2\nz\t{REVERSED}\tg3\n")
    (tmp_path / "b.csv").write_text(f"gene,tile,dna\ng4,x,{OTHER[:40]}NNNNNNNNNN{OTHER[50:]}\n")
    return [str(tmp_path / "a.tsv"), str(tmp_path / "b.csv")]


N_OTHER = OTHER[:40] + "N" * 10 + OTHER[50:]
NOTED = ["", "oligo on the other strand; longer than 88 bp", "more than 10 % N"]
TABLE = [
    ("", ["id", "expression"], [INSERT, REVERSED, N_OTHER], {}),
    ("--keep-columns", ["id", "gene", "expression"], [INSERT, REVERSED, N_OTHER], {"gene": ["g1", "g3", "g4"]}),
    ("--notes", ["id", "expression", "note"], [INSERT, REVERSED, N_OTHER], {"note": NOTED}),
    (
        "--orient --notes --interval 0.9 --precision 7 --keep-columns",
        ["id", "gene", "expression", "lower", "upper", "note"],
        [INSERT, INSERT, N_OTHER],
        {"note": ["", "read on the other strand", "more than 10 % N"]},
    ),
]


@pytest.mark.filterwarnings("ignore::dream_bert.errors.InputWarning")
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_every_option(folder, inputs, backend, tmp_path):
    skip = f"--on-error skip --rejects {tmp_path}/rejects.tsv --sequence-column dna --id-column tile"
    for options, header, inserts, texts in TABLE:
        command = ["predict", *inputs, "--model", str(folder), "--backend", backend, "-o", f"{tmp_path}/out.csv"]
        assert main([*command, *skip.split(), *options.split()]) == 0
        with open(tmp_path / "out.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == header
        assert [row["id"] for row in rows] == ["x", "z", "x"]
        expected = predict(inserts, folder)
        digits = 7 if "precision" in options else 4
        assert all(len(row["expression"].partition(".")[2]) == digits for row in rows)
        found = [float(row["expression"]) for row in rows]
        assert_close(found, expected, decimals=digits)
        for name, column in texts.items():
            assert [row[name] for row in rows] == column
        assert len((tmp_path / "rejects.tsv").read_text().splitlines()) == 2


def test_what_is_warned_of(folder, inputs, tmp_path, capsys):
    command = ["predict", *inputs, "--model", str(folder), "--sequence-column", "dna", "--id-column", "tile"]
    assert main([*command, "--on-error", "skip", "-o", f"{tmp_path}/out.jsonl"]) == 0
    lines = [line.split(";")[0].split(",")[0] for line in capsys.readouterr().err.splitlines()]
    assert sorted(line.removeprefix("dream-bert: warning: ") for line in lines) == [
        "1 of 3 sequences are longer than 88 bp (first: 'z')",
        "1 of 3 sequences are oligos on the other strand",
        "1 of 3 sequences have the id of an earlier one",
        "1 of 3 sequences hold more than 10 % N (first: 'x')",
        "skipped 1 rows: character outside IUPAC",
    ]

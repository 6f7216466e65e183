"""Prediction of a file by several processes: its rows in the order of the input, and no output where one dies."""

import csv
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from multiprocessing.connection import wait
from pathlib import Path

import killable_runs
import numpy as np
import pytest
import torch
from closeness import assert_close
from launchers import DEADLINE, MINUTE, end, start
from torch.distributed import TCPStore

from dream_bert.cli import main as cli
from dream_bert.errors import InputWarning
from dream_bert.inference import files as prediction_files
from dream_bert.inference import local_predictor, prediction


@pytest.fixture
def source(tmp_path) -> Path:
    draw = random.Random(1)
    inserts = ["".join(draw.choices("ACGTN", k=draw.choice([80, 80, 1, 99, 3]))) for _ in range(101)]
    (tmp_path / "promoters.txt").write_text("\n".join(inserts) + "\n")
    return tmp_path / "promoters.txt"


def start_predicting(
    source: Path, output: Path, model: Path, die_rank: int, processes: int, kill=signal.SIGKILL, more: str = ""
) -> list:
    """Processes that predict a file together, 8 sequences each at a time; one gets a signal in the second round."""
    killable_runs.ensure_server()
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    arguments = ["predict", str(source), "-o", str(output), "--model", str(model), "--batch-size", "64"]
    arguments += more.split()
    environment = {"WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": store.port}
    environment |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "GLOO_SOCKET_IFNAME": "lo"}
    started = []
    for rank in range(processes):
        own = environment | {"RANK": rank, "LOCAL_RANK": rank}
        args = (
            arguments,
            {name: str(value) for name, value in own.items()},
            rank == die_rank and kill,
            f"{source}.{rank}",
        )
        started.append(killable_runs._context.Process(target=predict_in_process, args=args, daemon=True))
        started[-1].start()
        started[-1].store = store  # lives as long
    return started


def predict_in_process(arguments: list[str], environment: dict[str, str], kill: int, printed: str) -> None:
    os.environ.update(environment)
    os.dup2(os.open(printed, os.O_WRONLY | os.O_CREAT), 2)
    torch.set_num_threads(1)
    prediction.CHUNK = 8
    encode, seen = local_predictor.encode, Counter()

    def encode_or_die(inserts, config):
        seen.update(inserts=len(inserts))
        if kill and seen["inserts"] > 8:
            os.kill(os.getpid(), kill)
        return encode(inserts, config)

    local_predictor.encode = encode_or_die
    sys.exit(cli.main(arguments))


def statuses(started: list) -> list[int]:
    """Of processes that end within a minute of the first."""
    wait([process.sentinel for process in started], DEADLINE)
    for process in started:
        process.join(MINUTE)
    return [process.exitcode for process in started]


def printed(source: Path, rank: int) -> str:
    return Path(f"{source}.{rank}").read_text()


def expressions(path: Path) -> tuple[list[str], list[float]]:
    with path.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [row["id"] for row in rows], [float(row["expression"]) for row in rows]


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory) -> Path:
    calibration = {"expression": [0.0], "spread": [2.0], "ratios": [1.0 + i / 10 for i in range(45)]}
    folder = tmp_path_factory.mktemp("model")
    tiny_model(stride=1, context=0, max_position_embeddings=128, calibration=calibration).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_write_one_file_in_the_order_of_the_input(source, model, tmp_path, processes):
    assert statuses(start_predicting(source, tmp_path / "out.tsv", model, -1, processes)) == [0] * processes
    prediction_files.predict_file(source, tmp_path / "one.tsv", model)
    ids, values = expressions(tmp_path / "out.tsv")
    assert ids == [str(row) for row in range(101)]
    assert_close(values, expressions(tmp_path / "one.tsv")[1], decimals=3)  # both are rounded to four
    assert np.ptp(values) > 0.1


def test_every_option_in_several_processes(source, model, tmp_path):
    rows = [f"s{row}\t{'AC' * (30 + row % 30)}\tg{row}\n" for row in range(60)]
    rows[17], rows[40], rows[59] = "bad\tAC!\tg\n", f"long\t{'A' * 200}\tg\n", "s3\tNNNNA\tg59\n"
    (tmp_path / "in.tsv").write_text("".join(["id\tsequence\tgene\n", *rows]))
    more = f"--keep-columns --notes --orient --precision 6 --on-error skip --rejects {tmp_path}/rejects.tsv"
    assert statuses(start_predicting(tmp_path / "in.tsv", tmp_path / "out.tsv", model, -1, 2, more=more)) == [0, 0]
    options = dict(keep_columns=True, notes=True, orient=True, precision=6, on_error="skip")
    with pytest.warns(InputWarning) as caught:
        prediction_files.predict_file(tmp_path / "in.tsv", tmp_path / "one.tsv", model, **options)
    kept = []
    for name in ("out.tsv", "one.tsv"):
        with open(tmp_path / name) as file:
            kept.append([(row["id"], row["gene"], row["note"]) for row in csv.DictReader(file, delimiter="\t")])
    assert kept[0] == kept[1] and len(kept[0]) == 58
    assert_close(expressions(tmp_path / "out.tsv")[1], expressions(tmp_path / "one.tsv")[1], decimals=5)
    assert len((tmp_path / "rejects.tsv").read_text().splitlines()) == 3
    assert all(str(warning.message) in printed(tmp_path / "in.tsv", 0) for warning in caught) and len(caught) == 4
    assert printed(tmp_path / "in.tsv", 1).strip() == ""


def test_more_processes_than_sequences(source, model, tmp_path):
    source.write_text("ACGT\n")
    assert statuses(start_predicting(source, tmp_path / "out.tsv", model, -1, 2)) == [0, 0]
    assert expressions(tmp_path / "out.tsv")[0] == ["0"]


def test_a_bad_sequence_ends_all_processes_with_one_message(source, model, tmp_path):
    source.write_text(source.read_text() + "ACXT\n")
    assert statuses(start_predicting(source, tmp_path / "out.tsv", model, -1, 2)) == [2, 2]
    assert "base 3 is not an IUPAC nucleotide code; remove or replace it; --on-error skip" in printed(source, 0)
    assert f"dream-bert: {source}:102: record '101'" in printed(source, 0)
    assert "dream-bert" not in printed(source, 1) and "Traceback" not in printed(source, 1)
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("out.tsv*"))


def test_a_process_that_dies_leaves_no_output(source, model, tmp_path):
    assert statuses(start_predicting(source, tmp_path / "out.tsv", model, 1, 2)) == [2, -signal.SIGKILL]
    assert "dream-bert: another process ended, and nothing was written" in printed(source, 0)
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("out.tsv*"))


def test_the_first_process_dies(source, model, tmp_path):
    (tmp_path / "out.tsv").write_text("yesterday's")
    assert statuses(start_predicting(source, tmp_path / "out.tsv", model, 0, 2)) == [-signal.SIGKILL, 2]
    assert (tmp_path / "out.tsv").read_text() == "yesterday's"


def test_sigterm_leaves_no_output(source, model, tmp_path):
    started = start_predicting(source, tmp_path / "out.tsv", model, 0, 2, signal.SIGTERM)
    assert statuses(started) == [128 + signal.SIGTERM, 2]
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("out.tsv*"))


@pytest.mark.slow
def test_the_command_under_the_launcher(source, model, tmp_path):
    command = ["predict", source, "-o", tmp_path / "out.tsv", "--model", model, "--interval", "0.9"]
    ((status, output),) = end(start("cpu.yaml", ["dream_bert", *command], "--module"))
    assert status == 0, output
    with open(tmp_path / "out.tsv") as file:
        rows = [*csv.DictReader(file, delimiter="\t")]
    assert [row["id"] for row in rows] == [str(row) for row in range(101)]
    ends = [
        [float(row["expression"]) - float(row["lower"]), float(row["upper"]) - float(row["lower"])] for row in rows
    ]
    assert_close(ends, [[10, 20]] * 101, decimals=3)  # differences of values with four


THREADS_AT_THE_END = """
import sys
from pathlib import Path
from dream_bert.inference.distributed import share_predictions
from dream_bert.inference.files import predict_file
from dream_bert.inference.prediction import load_predictor
share_predictions(lambda: load_predictor(sys.argv[3]), lambda model: predict_file(sys.argv[1], sys.argv[2], model))
print(sum("gloo" in (task / "comm").read_text() for task in Path("/proc/self/task").iterdir()))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_no_thread_of_gloo_outlives_a_prediction(source, model, tmp_path):
    """One that is left aborts the process at its end, now and then."""
    (tmp_path / "script.py").write_text(THREADS_AT_THE_END)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1"]
    command = [*launch, str(tmp_path / "script.py"), str(source), str(tmp_path / "out.tsv"), str(model)]
    env = os.environ | {"GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0"]

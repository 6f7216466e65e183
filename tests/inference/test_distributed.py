"""Runs of several processes against runs of one: the same weights, every row once, and what happens when one dies.

Started by a launcher, this file is a training script that notes its rows: `THIS_FILE STAGE NOTES DIE_AT ...`.
"""

import csv
import faulthandler
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import wait
from pathlib import Path

import killable_runs
import numpy as np
import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.utils import DistributedType
from closeness import OPERATIONS, assert_close
from safetensors.torch import load_file
from torch.distributed import TCPStore
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from dream_bert import BertForSequenceRegression, DreamBertForMaskedLM
from dream_bert.cli import main as cli
from dream_bert.data.batches import IGNORED
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.errors import InputWarning
from dream_bert.inference import files as prediction_files
from dream_bert.inference import local_predictor, prediction
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training import run_mlm, run_regression
from dream_bert.training.run import gather_weights, run_script
from dream_bert.training.trainer import PromoterTrainer

EXAMPLES = Path(__file__).parents[2] / "examples"

SCRIPTS = {"mlm": run_mlm, "regression": run_regression}

# 77 rows in 8 shards, in batches of 14 over 2 processes with 2 workers each: nothing divides by anything.
ROWS, VALIDATION, TEST, BATCH, STEPS_AN_EPOCH = 77, 11, 13, 14, 6
RUN = "--use_cpu --report_to none --disable_tqdm True --logging_steps 1 --num_train_epochs 2 --dropout 0"
RUN += " --eval_strategy epoch --save_strategy steps --save_steps 3 --load_best_model_at_end False"
RUN += " --lr_scheduler_type constant --optim sgd --learning_rate 0.1 --per_device_eval_batch_size 5"

MINUTE = 60
DEADLINE = 300


def run_noting_rows(stage: str, notes: str, die_at: int, arguments: list[str]) -> None:
    """Train, and write what was trained and evaluated on to `notes.RANK`; the second process may die at a step."""
    rank, script = int(os.environ.get("RANK", 0)), SCRIPTS[stage]
    name = "masked_lm_metrics" if stage == "mlm" else "regression_metrics"
    step, metrics = PromoterTrainer.training_step, getattr(script, name)
    with open(f"{notes}.{rank}", "a") as file, pytest.MonkeyPatch.context() as patch:

        def note(what, value):
            file.write(json.dumps([what, value]) + "\n")
            file.flush()

        def noting_step(trainer, model, inputs, *args):
            if rank == 1 and trainer.state.global_step == die_at:
                note("dies", die_at)
                os.kill(os.getpid(), signal.SIGKILL)
            note(trainer.state.global_step, rows_of(inputs))
            return step(trainer, model, inputs, *args)

        def noting_metrics(prediction, *args):
            note("evaluated", np.asarray(prediction.label_ids).tolist())
            return metrics(prediction, *args)

        patch.setattr(PromoterTrainer, "training_step", noting_step)
        patch.setattr(script, name, noting_metrics)
        script.main(arguments)


def rows_of(inputs: dict[str, torch.Tensor]) -> list[str]:
    """A name for each row that counts, of its ids and labels."""
    ids, labels = inputs["input_ids"], inputs["labels"]
    pairs = [(i[i > 0], label[label != IGNORED]) for i, label in zip(ids, labels, strict=True)]
    rows = [i.numpy().tobytes() + label.numpy().tobytes() for i, label in pairs if label.numel()]
    return [hashlib.sha256(row).hexdigest()[:16] for row in rows]


def read_notes(notes: Path, processes: int) -> tuple[list[Counter], list[list]]:
    """The rows of each epoch, of steps taken twice the last time's; and the labels of each evaluation."""
    epochs, evaluated = [Counter(), Counter()], []
    for rank in range(processes):
        lines = [json.loads(line) for line in Path(f"{notes}.{rank}").read_text().splitlines()]
        for step, rows in dict(line for line in lines if isinstance(line[0], int)).items():
            epochs[step // STEPS_AN_EPOCH].update(rows)
        evaluated += [value for what, value in lines if what == "evaluated" and rank == 0]
    return epochs, evaluated


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder, draw = tmp_path_factory.mktemp("data"), random.Random(0)
    inserts = ["".join(draw.choices("ACGT", k=draw.randint(70, 90))) for _ in range(ROWS + VALIDATION + TEST)]
    lines = [f"{insert}\t{row / 8 + insert.count('A') / 64}\n" for row, insert in enumerate(inserts)]
    (folder / "rows.txt").write_text("".join(lines))
    sizes = dict(mlm_validation=VALIDATION + TEST, validation=VALIDATION, test=TEST)
    prepare([folder / "rows.txt"], folder / "prepared", top_fraction=1.0, **sizes)
    return folder / "prepared"


@pytest.fixture(scope="module")
def models(tiny_config, tmp_path_factory) -> dict[str, Path]:
    folders = {}
    for stage, kind in {"mlm": DreamBertForMaskedLM, "regression": BertForSequenceRegression}.items():
        torch.manual_seed(0)
        folders[stage] = tmp_path_factory.mktemp(stage)
        kind(tiny_config(stride=1, context=0, initializer_range=0.5)).save_pretrained(folders[stage])
    return folders


@pytest.fixture
def arguments(data, models, tmp_path):
    def arguments(stage: str, output: str, batch: int, more: str = "") -> list[str]:
        paths = ["--data", str(data), "--model", str(models[stage]), "--output_dir", str(tmp_path / output)]
        return [*RUN.split(), "--per_device_train_batch_size", str(batch), *more.split(), *paths]

    return arguments


def start(config: str, command: list, more: str = "", **environment: str) -> subprocess.Popen:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", EXAMPLES / "accelerate" / config]
    # A pipe that nobody reads yet would hold a launcher up; `end` closes the file.
    printed = tempfile.TemporaryFile("w+")  # noqa: SIM115
    launcher = subprocess.Popen(
        [*map(str, launch), *more.split(), *map(str, command)],
        # This file's own imports are found where pytest finds them.
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        stdout=printed,
        stderr=subprocess.STDOUT,
    )
    launcher.printed = printed
    return launcher


def end(*launched: subprocess.Popen, timeout: float = DEADLINE) -> list[tuple[int, str]]:
    """Exit status and output of launchers; where one fails or does not end, all others are ended."""
    began = time.monotonic()
    while any(launcher.poll() is None for launcher in launched) and time.monotonic() - began < timeout:
        if any(launcher.returncode for launcher in launched):
            break
        time.sleep(0.1)
    ended = []
    for launcher in launched:
        launcher.terminate()  # which ends its processes too
        with launcher.printed as printed:
            status = launcher.wait(MINUTE)
            printed.seek(0)
            ended.append((status, printed.read()))
    return ended


def wait_for_death(notes: Path, launcher: subprocess.Popen) -> None:
    began = time.monotonic()
    while launcher.poll() is None and time.monotonic() - began < DEADLINE:
        if notes.exists() and '["dies", ' in notes.read_text():
            return
        time.sleep(0.2)
    pytest.fail(f"the process did not come to its death: {end(launcher, timeout=1)}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def history(output: Path, kind: str) -> list[float]:
    """Losses, or the metric of each evaluation, of a finished run."""
    wanted = {"loss": ["loss"], "eval": ["eval_mse", "eval_mlm_loss"]}[kind]
    entries = json.loads((output / TRAINING_INFO).read_text())["history"]
    return [entry[name] for entry in entries for name in wanted if name in entry]


def assert_same_outcome(one: Path, many: Path, processes: int) -> None:
    """Weights, losses and evaluations, up to the roundings of all steps."""
    assert json.loads((many / TRAINING_INFO).read_text())["processes"] == processes
    weights, others = load_file(one / "model.safetensors"), load_file(many / "model.safetensors")
    assert weights.keys() == others.keys()
    for name in weights:
        assert_close(others[name], weights[name], operations=2 * STEPS_AN_EPOCH * OPERATIONS, name=name)
    for kind in ("loss", "eval"):
        assert_close(history(many, kind), history(one, kind), operations=2 * STEPS_AN_EPOCH * OPERATIONS, name=kind)
    assert len(history(one, "loss")) == 2 * STEPS_AN_EPOCH
    assert len(history(one, "eval")) == 3


@pytest.mark.slow
@killable_runs.several_resume
def test_a_process_dies_and_the_resumed_run_ends_as_one_of_one_process(arguments, data, tmp_path):
    run_noting_rows("regression", str(tmp_path / "one"), -1, arguments("regression", "whole", BATCH))
    more = "--dataloader_num_workers 2"
    command = [__file__, "regression", tmp_path / "two"]
    trained = arguments("regression", "run", BATCH // 2, more)
    launcher = start("cpu.yaml", [*command, 10, *trained])
    wait_for_death(tmp_path / "two.1", launcher)
    ((status, printed),) = end(launcher, timeout=MINUTE)
    assert status == 1
    assert "rank      : 1 (local_rank: 1)" in printed and "(SIGKILL)" in printed
    assert not (tmp_path / "run" / TRAINING_INFO).exists()

    ((status, printed),) = end(start("cpu.yaml", [*command, -1, *trained]))
    assert status == 0, printed
    assert "Resuming from" in printed and "checkpoint-9" in printed
    assert_same_outcome(tmp_path / "whole", tmp_path / "run", processes=2)
    epochs, evaluated = read_notes(tmp_path / "two", processes=2)
    assert epochs == read_notes(tmp_path / "one", processes=1)[0]
    for rows in epochs:
        assert len(rows) == ROWS and set(rows.values()) == {1}
    splits = {split: PromoterDataset(data, "regression", split) for split in ("validation", "test")}
    labels = {split: sorted(rows.rows(np.arange(len(rows)))[1].tolist()) for split, rows in splits.items()}
    # The first epoch's; the second's after the resumption, the test rows, the validation rows for the record.
    wanted = [labels[split] for split in ("validation", "validation", "test", "validation")]
    assert [sorted(values) for values in evaluated] == wanted


@pytest.mark.slow
def test_two_machines_are_one(arguments, tmp_path):
    run_noting_rows("mlm", str(tmp_path / "one"), -1, arguments("mlm", "whole", BATCH))
    trained = arguments("mlm", "run", BATCH // 2, "--dataloader_num_workers 1")
    endpoint = f"--num_processes 2 --main_process_ip 127.0.0.1 --main_process_port {free_port()} --machine_rank"
    command = [__file__, "mlm", tmp_path / "two", -1, *trained]
    machines = [start("two_machines.yaml", command, f"{endpoint} {rank}", GLOO_SOCKET_IFNAME="lo") for rank in (0, 1)]
    ended = end(*machines)
    assert [status for status, _ in ended] == [0, 0], ended
    assert_same_outcome(tmp_path / "whole", tmp_path / "run", processes=2)
    epochs, evaluated = read_notes(tmp_path / "two", processes=2)
    whole_epochs, whole_evaluated = read_notes(tmp_path / "one", processes=1)
    assert epochs == whole_epochs and all(set(rows.values()) == {1} for rows in epochs)
    counts = [[np.sum(np.array(labels) != IGNORED) for labels in run] for run in (evaluated, whole_evaluated)]
    assert counts[0] == counts[1]


# --- prediction -------------------------------------------------------------------------------------------------


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


# --- configurations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "machines", "processes"),
    [
        ("cpu", DistributedType.MULTI_GPU, 1, 2),
        ("one_gpu", DistributedType.NO, 1, 1),
        ("eight_gpus", DistributedType.MULTI_GPU, 1, 8),
        ("two_machines", DistributedType.MULTI_GPU, 2, 16),
        ("fsdp", DistributedType.FSDP, 1, 8),
    ],
)
def test_configurations_are_what_accelerate_reads(name, kind, machines, processes):
    config = load_config_from_file(str(EXAMPLES / "accelerate" / f"{name}.yaml"))
    assert (config.distributed_type, config.num_machines, config.num_processes) == (kind, machines, processes)


STUBS = {
    "scontrol": "printf 'first\\nsecond\\n'",
    "srun": 'shift; for SLURM_NODEID in 0 1; do export SLURM_NODEID; "$@"; done',
    "accelerate": 'printf "%s|" "$@"; echo',
}


def test_slurm_template_starts_a_launcher_on_each_machine(tmp_path):
    for name, body in STUBS.items():
        (tmp_path / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    job = {"SLURM_JOB_NODELIST": "node[1-2]", "SLURM_JOB_ID": "41234", "SLURM_NNODES": "2", "SLURM_GPUS_ON_NODE": "4"}
    environment = os.environ | job | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    template = ["bash", EXAMPLES / "slurm.sh", "run.py", "--output_dir", "a folder"]
    lines = subprocess.run(template, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    for rank, line in enumerate(lines):
        words = line.split("|")
        assert words[:2] == ["launch", "--multi_gpu"] and words[-4:] == ["run.py", "--output_dir", "a folder", ""]
        assert f"|--machine_rank|{rank}|--main_process_ip|first|--main_process_port|21234|" in line
        assert "|--num_machines|2|--num_processes|8|" in line
    assert len(lines) == 2


def gather_sharded(rank: int, port: int, kind: type, folder: str) -> None:
    os.environ |= {"GLOO_SOCKET_IFNAME": "lo"}
    store = TCPStore("127.0.0.1", port, is_master=False)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    model = kind.from_pretrained(folder)
    fully_shard(model, mesh=init_device_mesh("cpu", (2,)))
    weights = gather_weights(model, model)
    if rank == 0:
        model.save_pretrained(f"{folder}/gathered", state_dict=weights)
    torch.distributed.destroy_process_group()
    os._exit(0)  # torch's caches hold the group: one of its threads, left at Python's end, now and then aborts it


@pytest.mark.parametrize("kind", [BertForSequenceRegression, DreamBertForMaskedLM])
def test_parameters_that_processes_share_are_gathered_to_be_saved(tiny_config, tmp_path, kind):
    kind(tiny_config()).save_pretrained(tmp_path)
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    killable_runs.ensure_server()
    args = (store.port, kind, str(tmp_path))
    torch.multiprocessing.start_processes(gather_sharded, args, nprocs=2, start_method="forkserver")
    whole, gathered = (load_file(folder / "model.safetensors") for folder in (tmp_path, tmp_path / "gathered"))
    assert whole.keys() == gathered.keys()
    assert all(torch.equal(whole[name], gathered[name]) for name in whole)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(DEADLINE - MINUTE)
    stage, notes, die_at, *rest = sys.argv[1:]
    run_script(lambda: run_noting_rows(stage, notes, int(die_at), rest))

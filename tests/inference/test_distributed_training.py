"""Training in several processes against one: the same weights, every row once, also where a process dies."""

import json
import os
import random
import subprocess
import time
from pathlib import Path

import killable_runs
import numpy as np
import pytest
import row_notes
import torch
from closeness import OPERATIONS, assert_close
from launchers import DEADLINE, MINUTE, end, free_port, start
from row_notes import read_notes, run_noting_rows
from safetensors.torch import load_file
from torch.distributed import TCPStore
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from dream_bert import BertForSequenceRegression, DreamBertForMaskedLM
from dream_bert.data.batches import IGNORED
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training.run import gather_weights

# 77 rows in 8 shards, in batches of 14 over 2 processes with 2 workers each: nothing divides by anything.
ROWS, VALIDATION, TEST, BATCH, STEPS_AN_EPOCH = 77, 11, 13, 14, 6
RUN = "--use_cpu --report_to none --disable_tqdm True --logging_steps 1 --num_train_epochs 2 --dropout 0"
RUN += " --eval_strategy epoch --save_strategy steps --save_steps 3 --load_best_model_at_end False"
RUN += " --lr_scheduler_type constant --optim sgd --learning_rate 0.1 --per_device_eval_batch_size 5"


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


def wait_for_death(notes: Path, launcher: subprocess.Popen) -> None:
    began = time.monotonic()
    while launcher.poll() is None and time.monotonic() - began < DEADLINE:
        if notes.exists() and '["dies", ' in notes.read_text():
            return
        time.sleep(0.2)
    pytest.fail(f"the process did not come to its death: {end(launcher, timeout=1)}")


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
    command = [row_notes.__file__, "regression", tmp_path / "two"]
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
    epochs, evaluated = read_notes(tmp_path / "two", 2, STEPS_AN_EPOCH)
    assert epochs == read_notes(tmp_path / "one", 1, STEPS_AN_EPOCH)[0]
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
    command = [row_notes.__file__, "mlm", tmp_path / "two", -1, *trained]
    machines = [start("two_machines.yaml", command, f"{endpoint} {rank}", GLOO_SOCKET_IFNAME="lo") for rank in (0, 1)]
    ended = end(*machines)
    assert [status for status, _ in ended] == [0, 0], ended
    assert_same_outcome(tmp_path / "whole", tmp_path / "run", processes=2)
    epochs, evaluated = read_notes(tmp_path / "two", 2, STEPS_AN_EPOCH)
    whole_epochs, whole_evaluated = read_notes(tmp_path / "one", 1, STEPS_AN_EPOCH)
    assert epochs == whole_epochs and all(set(rows.values()) == {1} for rows in epochs)
    counts = [[np.sum(np.array(labels) != IGNORED) for labels in run] for run in (evaluated, whole_evaluated)]
    assert counts[0] == counts[1]


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

"""The configurations of `examples/accelerate` are valid, and the SLURM template starts a launcher on each machine."""

import os
import subprocess

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.utils import DistributedType
from launchers import EXAMPLES


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

#!/usr/bin/env bash
# Train on several machines of a Slurm cluster, one process a GPU; the arguments are those of `accelerate launch`:
#     sbatch examples/slurm.sh examples/run_regression.py --data prepared --model mlm --output_dir regression
# Adjust the lines below to the cluster. A job that is cut off goes on where it was when it is given again.
# Tested with stand-ins for srun and scontrol, not on a cluster.
#SBATCH --job-name=dream-bert
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
set -euo pipefail

export GPUS=${SLURM_GPUS_ON_NODE:-8}
mapfile -t machines < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
MAIN_ADDRESS=${machines[0]}
MAIN_PORT=$((20000 + SLURM_JOB_ID % 20000)) # jobs that share a machine take different ones
export MAIN_ADDRESS MAIN_PORT

# One launcher a machine. Within `srun` each knows its own number, SLURM_NODEID.
srun --kill-on-bad-exit=1 bash -c '
    exec accelerate launch --multi_gpu --mixed_precision bf16 --dynamo_backend no --same_network \
        --num_machines "$SLURM_NNODES" --num_processes "$((SLURM_NNODES * GPUS))" --machine_rank "$SLURM_NODEID" \
        --main_process_ip "$MAIN_ADDRESS" --main_process_port "$MAIN_PORT" "$@"' launch "$@"

"""Estimate what the entry's full recipe would cost, from counted FLOPs and the rates measured here.

    python benchmarks/cost.py [--utilisation 0.3] [--dollars-per-hour 3]

torch counts the FLOPs of a training step. The H100's peak is from its data sheet (989 TFLOP/s, dense bfloat16).
Utilisation and price are assumptions; give your own. This machine's rate is timed. Writes
`benchmarks/results/cost.json`.
"""

import argparse
import json
import time

import measuring
import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamBertForMaskedLM
from dream_bert.sequence.encoding import encode

H100_FLOPS = 989e12
ROWS = {"pretraining": 1_675_053, "fine-tuning": 6_510_079}
EPOCHS = 20
"""Default of the scripts, which stop earlier if the validation metric does not improve for five epochs."""


def pretraining_step(config: DreamBertConfig, ids: torch.Tensor):
    model = DreamBertForMaskedLM(config).train()
    ids = ids[:, 0]  # every row takes one random frame
    predicted = torch.rand(ids.shape) < 0.15 * 27 / ids.shape[1]  # tokens of the context are never masked

    def step():
        output = model(input_ids=ids, predicted=predicted)
        F.cross_entropy(output.logits.float(), ids[predicted]).backward()

    return step


def fine_tuning_step(config: DreamBertConfig, ids: torch.Tensor):
    model = BertForSequenceRegression(config).train()

    def step():
        model(input_ids=ids).logits.float().square().mean().backward()

    return step


def seconds(step, repeats: int) -> list[float]:
    times = []
    for repeat in range(repeats + 1):
        begin = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            step()
        if repeat:
            times.append(time.perf_counter() - begin)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--utilisation", type=float, default=0.3, help="of the GPU's peak")
    parser.add_argument("--dollars-per-hour", type=float, default=3.0, help="of one H100")
    options = parser.parse_args()
    torch.manual_seed(0)
    config = DreamBertConfig.preset("seed")
    inserts = ["".join(row) for row in np.random.default_rng(0).choice(list("ACGT"), (options.batch, 80))]
    ids = torch.from_numpy(encode(inserts, config)["input_ids"])
    loading = json.loads((measuring.RESULTS / "data_loading.json").read_text())
    result = {"machine": measuring.machine("torch", "transformers"), "assumed": vars(options), "stages": {}}
    for stage, make in (("pretraining", pretraining_step), ("fine-tuning", fine_tuning_step)):
        step = make(config, ids)
        with FlopCounterMode(display=False) as counter:
            step()
        flops = counter.get_total_flops() / options.batch
        sequences = ROWS[stage] * EPOCHS
        per_second = options.utilisation * H100_FLOPS / flops
        times = seconds(step, options.repeats)
        cpu_rate = options.batch / float(np.median(times))
        hours = sequences / per_second / 3600
        result["stages"][stage] = {
            "rows": ROWS[stage],
            "epochs": EPOCHS,
            "gigaflops_per_sequence": round(flops / 1e9, 2),
            "sequences_per_second": {"h100": round(per_second), "this_cpu": round(cpu_rate, 2)},
            "hours": {"1 H100": hours, "8 H100": hours / 8, "this CPU": sequences / cpu_rate / 3600},
            "seconds_per_cpu_step": measuring.spread(times),
        }
    result["loader"] = {name: rate for name, rate in loading["rates"].items() if "seed, batch 64, Data" in name}
    print(result["machine"])
    rows = [
        [
            stage,
            f"{entry['rows']:,} x {entry['epochs']}",
            f"{entry['gigaflops_per_sequence']}",
            f"{entry['sequences_per_second']['h100']:,}",
            *(f"{hours:,.2f}" for hours in entry["hours"].values()),
            f"{entry['hours']['1 H100'] * options.dollars_per_hour:,.2f}",
        ]
        for stage, entry in result["stages"].items()
    ]
    header = ["stage", "rows x epochs", "GFLOP a sequence", "sequences/s of an H100", "h on 1 H100", "h on 8"]
    print(measuring.table([*header, "h on this CPU", "dollars"], rows))
    measuring.write(__file__, result)


if __name__ == "__main__":
    main()

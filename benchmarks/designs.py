"""Compare designs of the model: accuracy after the same minutes of training, and speed of prediction.

    python benchmarks/designs.py [--sequences 1024]

Accuracy is from `ablations.json`. Speed is timed here with the torch backend and random weights, which take as long as
trained ones. Writes `benchmarks/results/designs.json`.
"""

import argparse
import json

import measuring
import numpy as np
import torch

from dream_bert import BertForSequenceRegression, DreamBertConfig, predict

DESIGNS = {
    "reference": {},
    "context 21 bp": dict(context=21),
    "stride 3": dict(stride=3),
    "stride 3, three frames": dict(stride=3, reading_frames=3),
    "stride 3, context 150 bp": dict(stride=3, context=150, max_position_embeddings=160),
}
"""The changes to the preset `compact` in the variants of `ablations.json`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.manual_seed(0)
    inserts = ["".join(row) for row in np.random.default_rng(0).choice(list("ACGT"), (options.sequences, 80))]
    models = {
        name: BertForSequenceRegression(DreamBertConfig.preset("compact", **change)).eval()
        for name, change in DESIGNS.items()
    }
    runs = {name: (lambda model=model: predict(inserts, model)) for name, model in models.items()}
    ablations = json.loads((measuring.RESULTS / "ablations.json").read_text())
    result = {"machine": measuring.machine("torch", "transformers"), "threads": torch.get_num_threads(), "designs": {}}
    for name, seconds in measuring.in_turns(runs, options.repeats).items():
        result["designs"][name] = {
            "public_pearson": ablations[name]["pearson"],
            "sequences_per_second": options.sequences / measuring.spread(seconds)["median"],
            "seconds": measuring.spread(seconds),
        }
    print(result["machine"])
    rows = [
        [name, f"{entry['public_pearson']:.3f}", f"{entry['sequences_per_second']:,.0f}"]
        for name, entry in result["designs"].items()
    ]
    print(measuring.table(["design", "public r after the same minutes", "sequences a second"], rows))
    measuring.write(__file__, result)


if __name__ == "__main__":
    main()

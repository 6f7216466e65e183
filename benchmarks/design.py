"""Design promoters of several expressions, and count how many keep all constraints and hit what both models predict.

    python benchmarks/design.py [-n 100] [--goals 4 8 12 maximise]

From the same random starts, with at most 10 changes each: `greedy` and `evolution` of this package, judged by both
models, and ledidi by the one-hot adapter of the BERT alone, which knows no constraints; of the sequences that it draws
for a start, the one whose prediction is nearest counts. Sites are looked for by Biopython, which is not what the
package does. Writes `benchmarks/results/design.json`.
"""

import argparse
import re
import time
import warnings

import measuring
import numpy as np
import torch
from Bio.Restriction import BbsI, BsaI
from Bio.Seq import Seq
from ledidi import ledidi

from dream_bert import Constraints, OneHotModel, design, predict
from dream_bert.analysis.constraints import Rules
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, to_oligo

ENZYMES = (BsaI, BbsI)
CONSTRAINTS = Constraints(forbidden=[str(enzyme) for enzyme in ENZYMES], gc=(0.3, 0.6), max_homopolymer=6, no_atg=True)
DISTANCE, EDITS, LARGEST = 10, 10, 17.0
"""ledidi maximises towards the scale's end."""

MODELS = ("dream-promoter-bert", "dream-promoter-conv")


def meets_all(insert: str) -> bool:
    """Check every constraint by other means than the package."""
    oligo = to_oligo(insert)
    sites = any(enzyme.search(Seq(oligo)) for enzyme in ENZYMES)
    runs = [found.span() for found in re.finditer(r"(.)\1{6,}", oligo)]
    ends = len(OLIGO_START), len(oligo) - len(OLIGO_END)
    long_run = any(begin < ends[1] and end > ends[0] for begin, end in runs)
    share = (insert.count("G") + insert.count("C")) / len(insert)
    return not sites and not long_run and 0.3 <= share <= 0.6 and "ATG" not in oligo


def differences(first: str, second: str) -> int:
    """Count the bases that differ."""
    return sum(map(str.__ne__, first, second))


def design_by_us(starts: list[str], goal: float | str, method: str, rounds: int | None) -> list[tuple[str, str]]:
    """Return designs, each after its start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        designs = design(
            starts, goal=goal, n=len(starts), distance=DISTANCE, edits=EDITS, constraints=CONSTRAINTS, method=method,
            rounds=rounds,
        )  # fmt: skip
    return [(starts[int(start)], sequence) for start, sequence in zip(designs.starts, designs.sequences, strict=True)]


def design_by_ledidi(starts: list[str], goal: float | str, iterations: int) -> list[tuple[str, str]]:
    """Return designs, each after its start."""
    model, target = OneHotModel(), LARGEST if goal == "maximise" else goal
    pairs = []
    for start in starts:
        one_hot = torch.tensor([[[float(base == letter) for base in start] for letter in "ACGT"]])
        drawn = ledidi(
            model, one_hot, torch.tensor([[target]]), device="cpu", max_iter=iterations, random_state=0, verbose=False
        )
        texts = ["".join("ACGT"[base] for base in row) for row in drawn.argmax(1).tolist()]
        pairs.append((start, texts[int(np.abs(predict(texts) - target).argmin())]))
    return pairs


def summarise(pairs: list[tuple[str, str]], goal: float | str, seconds: float) -> dict:
    """Return what becomes of designs."""
    sequences = [sequence for _, sequence in pairs]
    result = {
        "designs": len(pairs),
        "meet_all": sum(map(meets_all, sequences)) / len(pairs),
        "least_distance": min(
            (differences(first, second) for i, first in enumerate(sequences) for second in sequences[:i]), default=None
        ),
        "most_edits": max(differences(*pair) for pair in pairs),
        "seconds": seconds,
    }
    for model in MODELS:
        values = predict(sequences, model)
        result[model] = {"mean": float(values.mean())}
        if goal != "maximise":
            result[model]["mean_error"] = float(np.abs(values - goal).mean())
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=100, help="designs of each goal and method [%(default)s]")
    parser.add_argument("--goals", nargs="+", default=["4", "8", "12", "maximise"])
    parser.add_argument("--rounds", type=int, help="of greedy and evolution [as of design]")
    parser.add_argument("--iterations", type=int, default=200, help="of ledidi [%(default)s]")
    options = parser.parse_args()
    rng, rules = np.random.default_rng(0), Rules(CONSTRAINTS)
    starts = [rules.draw(80, rng) for _ in range(options.n)]
    result = {
        "machine": measuring.machine("torch", "ledidi", "tangermeme"),
        "threads": torch.get_num_threads(),
        "starts": {model: float(predict(starts, model).mean()) for model in MODELS},
        "goals": {},
    }
    methods = {
        "greedy": lambda goal: design_by_us(starts, goal, "greedy", options.rounds),
        "evolution": lambda goal: design_by_us(starts, goal, "evolution", options.rounds),
        "ledidi": lambda goal: design_by_ledidi(starts, goal, options.iterations),
    }
    rows = []
    for name in options.goals:
        goal = name if name == "maximise" else float(name)
        result["goals"][name] = {}
        for method, run in methods.items():
            begin = time.perf_counter()
            pairs = run(goal)
            entry = summarise(pairs, goal, time.perf_counter() - begin)
            result["goals"][name][method] = entry
            shown = "mean" if goal == "maximise" else "mean_error"
            cells = [f"{entry[model][shown]:.2f}" for model in MODELS]
            per_minute = 60 * entry["designs"] / entry["seconds"]
            rows.append(
                [name, method, f"{entry['meet_all']:.0%}", *cells, str(entry["most_edits"]), f"{per_minute:.1f}"]
            )
            print(rows[-1], flush=True)
    print(result["machine"])
    header = ["goal", "method", "meet all", "BERT's mean error", "convolutions'", "most edits", "designs a minute"]
    print(measuring.table(header, rows))
    measuring.write(__file__, result)


if __name__ == "__main__":
    main()

"""Measure the effect of each choice of the recipe by short trainings that differ in one thing.

    dream-bert prepare gpra_train.tsv.gz -o prepared
    python benchmarks/ablations.py --data prepared --leaderboard public_leaderboard [VARIANT …]

Variants are scored on the public leaderboard. Each takes about the same processor time (set OMP_NUM_THREADS=1 to
compare). Writes `benchmarks/results/ablations.json`, one entry for each variant, and prints the table of all results.
"""

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path

import measuring
import torch
from public_leaderboard import PublicLeaderboard

from dream_bert import BertForSequenceRegression, predict
from dream_bert.training import run_regression

RESULTS = Path(__file__).parent / "results" / "ablations.json"
COMMON = (
    "--preset compact --learning_rate 6e-4 --lr_scheduler_type cosine --warmup_steps 100 --bf16 --use_cpu --dropout 0 "
    "--eval_strategy no --save_strategy no --load_best_model_at_end False --report_to none --disable_tqdm True"
)
# Steps are chosen so that each variant takes as long as the reference: more steps where a sequence costs less.
VARIANTS = {
    "reference": "--max_steps 400 --local_attention",
    "random attention": "--max_steps 400",
    "stride 3": "--max_steps 1200 --local_attention --stride 3",
    "mean pooling": "--max_steps 300 --local_attention",
    "stride 3, three frames": "--max_steps 400 --local_attention --stride 3 --reading_frames 3",
    "stride 3, context 150 bp": "--max_steps 240 --local_attention --stride 3 --context 150 --positions 160",
    "context 21 bp": "--max_steps 260 --local_attention --context 21",
    "pretrained": "--max_steps 400",
    "dropout 0.1": "--max_steps 400 --local_attention --dropout 0.1",
    "rate 1e-3": "--max_steps 400 --local_attention --learning_rate 1e-3",
}

FIRST_TOKEN = BertForSequenceRegression._first_token


def mean_token(model: BertForSequenceRegression, input_ids, attention_mask, **inputs) -> torch.Tensor:
    """Average the last layer's rows, (n, 1, hidden); the model uses the row of `[CLS]` instead."""
    hidden = model.bert(input_ids, attention_mask, **inputs).last_hidden_state
    weight = attention_mask[..., None].to(hidden.dtype)
    return (hidden * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)


def run(variant: str, data: str, leaderboard: Path, pretrained: str | None) -> dict:
    """Train a variant and score it."""
    BertForSequenceRegression._first_token = mean_token if variant == "mean pooling" else FIRST_TOKEN
    arguments = f"{COMMON} {VARIANTS[variant]}".split() + ["--data", data]
    if variant == "pretrained":
        arguments += ["--model", pretrained]
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        run_regression.main([*arguments, "--output_dir", folder])
        minutes = (time.process_time() - start) / 60
        model = BertForSequenceRegression.from_pretrained(folder)
        info = json.loads(Path(folder, "training_info.json").read_text())
        public = PublicLeaderboard(leaderboard)
        scores = public.score(predict(public.sequences, model=model))
    return {
        "arguments": VARIANTS[variant],
        "cpu_minutes": round(minutes, 2),
        "parameters": info["parameters"],
        "validation_pearson": info["results"]["validation"]["eval_pearson"],
        "pearson": scores["subsets"]["all"]["pearson"],
        "pearson_score": scores["pearson_score"],
        "spearman_score": scores["spearman_score"],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "machine": platform.processor() or platform.machine(),
    }


def table(results: dict[str, dict]) -> str:
    lines = [
        "| variant | arguments | CPU minutes | validation r | public r | Pearson score | Spearman score |",
        "|---|---|---|---|---|---|---|",
    ]
    keys = ("validation_pearson", "pearson", "pearson_score", "spearman_score")
    for name, row in results.items():
        numbers = " | ".join(f"{row[key]:.3f}" for key in keys)
        lines.append(f"| {name} | `{row['arguments']}` | {row['cpu_minutes']:.1f} | {numbers} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder that `dream-bert prepare` wrote")
    parser.add_argument("--leaderboard", required=True, type=Path, help="folder with labels.tsv and subsets.json")
    parser.add_argument("--pretrained", help="folder of the masked-LM checkpoint that `pretrained` starts from")
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=f"of {', '.join(VARIANTS)} [all]")
    args = parser.parse_args()
    for variant in args.variants or VARIANTS:
        result = run(variant, args.data, args.leaderboard, args.pretrained)
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[variant] = result
        measuring.write_json(RESULTS, {name: results[name] for name in VARIANTS if name in results})
        print(table(results), flush=True)


if __name__ == "__main__":
    main()

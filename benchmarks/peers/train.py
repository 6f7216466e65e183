"""Train a peer of the BERT for some minutes, and score it on the public leaderboard.

    python benchmarks/peers/train.py PEER --data prepared --leaderboard PUBLIC_LEADERBOARD --minutes 30

PEER is cnn, legnet, bert, ridge, trees, ours (the convolutions of `examples/recipes/conv.yaml`) or shipped (the BERT
of `examples/recipes/compact.sh`, with all its steps). All learn from the prepared folder's train split.

Minutes are of training alone, on all cores. shipped, ridge and trees (these two need scikit-learn) end by themselves;
ours takes the recipe's epochs in proportion to the minutes. Their minutes are measured. A training that was stopped
continues when its command is given again, except ours, ridge and trees; its state is in `runs/peers`. Adds its result
to `benchmarks/results/peers.json`.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from by_trainer import Predictor, minutes_spent, train_bert, train_ours, train_shipped
from networks import LegNetLike, PlainConvolutions

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import measuring
from pseudo_label import measured_rows
from public_leaderboard import PublicLeaderboard

from dream_bert.data.manifest import read_manifest
from dream_bert.io.output import open_output
from dream_bert.sequence.construct import to_insert
from dream_bert.sequence.encoding import K, bases, window_ids

RESULTS = Path(__file__).parents[1] / "results" / "peers.json"
RUNS = Path(__file__).parents[2] / "runs" / "peers"
SECONDS_BETWEEN_STATES = 60
UNTIMED = "shipped", "ridge", "trees"
"""Peers that train until they are done, however long that takes."""
MEASURED = "ours", *UNTIMED
"""Peers whose minutes are measured."""


def one_hot(promoters: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.eye(5, 4, dtype=np.float32)[promoters].transpose(0, 2, 1).copy())


def train_network(
    network: torch.nn.Module,
    promoters: np.ndarray,
    labels: np.ndarray,
    seed: int,
    minutes: float,
    folder: Path,
    batch_size: int = 128,
    peak_rate: float = 3e-3,
    decay: float = 0.999,
) -> tuple[torch.nn.Module, int]:
    """Train with AdamW and a one-cycle learning rate for some minutes, those before a stop included.

    Returns:
        the moving average of the weights, and the number of examples seen, repeats counted.
    """
    draw, order = np.random.default_rng(seed), np.empty(0, dtype=int)
    optimizer = torch.optim.AdamW(network.parameters(), lr=peak_rate, weight_decay=0.01)
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay), use_buffers=True
    )
    learned = {"network": network, "optimizer": optimizer, "average": average}
    steps, spent = 0, 0.0
    path = folder / "state.pt"
    if path.exists():
        state = torch.load(path, weights_only=False)
        for name, part in learned.items():
            part.load_state_dict(state[name])
        draw.bit_generator.state = state["draw"]
        torch.set_rng_state(state["dropout"])
        order, steps, spent = state["order"], state["steps"], state["spent"]
    begin, kept = time.perf_counter() - spent, spent
    while spent < 60 * minutes:
        if len(order) < batch_size:
            order = np.concatenate([order, draw.permutation(len(labels))])
        rows, order = order[:batch_size], order[batch_size:]
        done = spent / 60 / minutes
        optimizer.param_groups[0]["lr"] = peak_rate * min(done / 0.05 + 0.01, 0.5 + 0.5 * np.cos(np.pi * done))
        with torch.autocast("cpu", torch.bfloat16):
            loss = network.loss(one_hot(promoters[rows]), torch.from_numpy(labels[rows]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(network)
        steps += 1
        spent = time.perf_counter() - begin
        if spent - kept > SECONDS_BETWEEN_STATES or spent >= 60 * minutes:
            kept = spent
            state = {name: part.state_dict() for name, part in learned.items()}
            state |= {"draw": draw.bit_generator.state, "dropout": torch.get_rng_state()}
            with open_output(path) as file:
                torch.save(state | {"order": order, "steps": steps, "spent": spent}, file)
    return average.module.eval(), steps * batch_size


@torch.inference_mode()
def predict(network: torch.nn.Module, promoters: np.ndarray) -> np.ndarray:
    """Predict standardised expression, float32 (n,)."""
    parts = np.array_split(promoters, len(promoters) // 256 + 1)
    return torch.cat([network(one_hot(part)).float() for part in parts]).numpy()


def count_kmers(promoters: np.ndarray, k: int = 6) -> np.ndarray:
    """Count each of the 4^k k-mers, uint8 (n, 4^k); k-mers with N are not counted."""
    windows = np.lib.stride_tricks.sliding_window_view(promoters, k, axis=1)
    numbers = np.where((windows < 4).all(2), windows @ (4 ** np.arange(k)), 4**k)
    counts = np.zeros((len(promoters), 4**k + 1), dtype=np.uint8)
    for column in numbers.T:
        counts[np.arange(len(promoters)), column] += 1
    return counts[:, :-1]


def train_ridge(promoters: np.ndarray, labels: np.ndarray, seed: int) -> tuple[Predictor, int]:
    """Fit ridge regression on 6-mer counts, with the penalty chosen on a tenth of the rows."""
    from sklearn.linear_model import Ridge

    counts, held_out = count_kmers(promoters).astype(np.float32), np.random.default_rng(seed).random(len(labels)) < 0.1
    errors = {}
    for penalty in 10.0 ** np.arange(0, 5):
        model = Ridge(penalty, solver="cholesky").fit(counts[~held_out], labels[~held_out])
        errors[penalty] = np.square(model.predict(counts[held_out]) - labels[held_out]).mean()
    model = Ridge(min(errors, key=errors.get), solver="cholesky").fit(counts, labels)
    return lambda promoters: model.predict(count_kmers(promoters).astype(np.float32)), len(labels)


def train_trees(promoters: np.ndarray, labels: np.ndarray, seed: int) -> tuple[Predictor, int]:
    """Fit gradient-boosted trees on 6-mer counts, until a tenth of the rows shows no more gain."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_iter=2000, learning_rate=0.08, max_leaf_nodes=63, early_stopping=True, n_iter_no_change=30,
        max_features=0.1, random_state=seed,
    )  # fmt: skip
    model.fit(count_kmers(promoters), labels)
    return lambda promoters: model.predict(count_kmers(promoters)), len(labels) * model.n_iter_


def train_peer(name: str, data: Path, minutes: float, seed: int, folder: Path) -> tuple[Predictor, int]:
    """Train a peer.

    Returns:
        a function that predicts expression, in its own units or standardised, and the number of examples seen,
        repeats counted.
    """
    if name == "ours":
        return train_ours(data, minutes, seed, folder)
    if name == "shipped":
        return train_shipped(data, folder)
    promoters, expression = measured_rows(data)
    mean, std = float(expression.mean()), float(expression.std())
    labels = (expression - mean) / std
    torch.manual_seed(seed)
    if name == "ridge":
        return train_ridge(promoters, labels, seed)
    if name == "trees":
        return train_trees(promoters, labels, seed)
    if name == "bert":
        return train_bert(promoters, labels, minutes, seed, folder)
    network = PlainConvolutions() if name == "cnn" else LegNetLike(mean, std)
    network, examples = train_network(network, promoters, labels, seed, minutes, folder)
    return lambda promoters: predict(network, promoters), examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["shipped", "ours", "cnn", "legnet", "bert", "ridge", "trees"])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="that `dream-bert prepare` wrote")
    parser.add_argument("--leaderboard", type=Path, required=True, metavar="DIR")
    parser.add_argument("--minutes", type=float, default=30, help="[%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    args = parser.parse_args()
    run = args.peer if args.peer in UNTIMED else f"{args.peer}, {args.minutes:g} minutes"
    run += f", seed {args.seed}"
    folder = RUNS / run.replace(", ", "-").replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    if args.peer in MEASURED and not minutes_spent(folder) and any(folder.iterdir()):
        parser.error(f"{folder} holds an earlier run, whose minutes are not known; remove it to start again")
    begin = time.perf_counter()
    trained, examples = train_peer(args.peer, args.data, args.minutes, args.seed, folder)
    took = minutes_spent(folder) or (time.perf_counter() - begin) / 60
    minutes = round(took, 1) if args.peer in MEASURED else args.minutes
    public = PublicLeaderboard(args.leaderboard)
    scores = public.score(trained(bases_of(public.sequences)))
    result = {
        "peer": args.peer,
        "minutes": minutes,
        "data": read_manifest(args.data)["fingerprint"],
        "examples": examples,
        "pearson": scores["subsets"]["all"]["pearson"],
        **{key: scores[key] for key in ("pearson_score", "spearman_score")},
        "subsets": {name: row["pearson"] for name, row in scores["subsets"].items()},
        "machine": measuring.machine("torch") | {"threads": torch.get_num_threads()},
    }
    print(args.peer, json.dumps(result))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[run] = result
    measuring.write_json(RESULTS, results)


def bases_of(oligos: list[str]) -> np.ndarray:
    """Return the bases of sequences whose inserts have one length."""
    windows, _ = window_ids([to_insert(oligo) for oligo in oligos])
    return bases(windows.reshape(len(oligos), -1))[:, : 1 - K]


if __name__ == "__main__":
    main()

"""Write the report of a fine-tuning: one HTML file with all figures in it."""

import math
from functools import partial
from html import escape
from string import Template
from typing import Any

import numpy as np

from .comparison import LEVEL, RESAMPLES, Comparison, span

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$name</title>
<style>
body { font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; line-height: 1.4; color: #222; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 0.2em 1em 0.2em 0; border-bottom: 1px solid #ccc; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { display: inline-block; margin: 0 1em 1em 0; }
figcaption { font-size: 0.85em; max-width: 26em; }
.verdict { font-weight: bold; }
</style>
</head>
<body>
<h1>$name</h1>
<p class="verdict">$verdict</p>
<h2>Held-out promoters</h2>
<p>$held_out: $count promoters, on which neither the model nor a peer was trained. Intervals are those of $level of
$resamples bootstrap resamples of these rows.</p>
$peers
<h2>Figures</h2>
$figures
<h2>Data and training</h2>
$facts
</body>
</html>
""")


def render_report(name: str, info: dict[str, Any], random_history: list[dict], comparison: Comparison) -> str:
    """Return the report as HTML, which needs no other file.

    Args:
        name: the model's name.
        info: the record of the training, with `finetuning`.
        random_history: history of the training from random weights.
        comparison: the model and its peers on held-out promoters.
    """
    from ..plots.finetuning import errors_by, learning_curve, measured_against_predicted, to_svg

    target = info["finetuning"]["targets"][0]
    errors = comparison.predicted.astype(float) - comparison.measured
    lengths = np.array([len(insert) for insert in comparison.inserts], dtype=float)
    tuned = comparison.scores[0]
    interval = f"Pearson {_number(tuned.pearson)}, {_percent(LEVEL)} interval {span(tuned.lower, tuned.upper)}."
    figures = {
        f"Measured against predicted {target} of the held-out promoters. {interval}": partial(
            measured_against_predicted, measured=comparison.measured, predicted=comparison.predicted, target=target
        ),
        "Learning curve. The weights are those of the epoch with the least validation error.": partial(
            learning_curve, curves=_curves(info, random_history), target=target
        ),
        "Errors by what was measured, with 95 % intervals of the means. Predictions of noisy labels regress to the "
        "mean, so the strongest are underestimated.": partial(
            errors_by, values=comparison.measured, errors=errors, label=f"measured {target}"
        ),
        "Errors by length of the insert.": partial(
            errors_by, values=lengths, errors=errors, label="length of the insert in bp"
        ),
    }
    return _PAGE.substitute(
        name=escape(name),
        verdict=escape(comparison.verdict),
        held_out=escape(info["finetuning"]["held_out"].capitalize()),
        count=f"{len(comparison.measured):,}",
        level=_percent(LEVEL),
        resamples=f"{RESAMPLES:,}",
        peers=_peers(comparison),
        figures="\n".join(
            f"<figure>{to_svg(draw)}<figcaption>{escape(text)}</figcaption></figure>" for text, draw in figures.items()
        ),
        facts=_table([[key, escape(value)] for key, value in _facts(info, comparison).items()]),
    )


def _curves(info: dict, random_history: list[dict]) -> dict[str, list[tuple[float, float]]]:
    """Collect (epoch, mean squared error in label units) of training and validation."""
    variance = info["finetuning"]["label_std"] ** 2
    losses, errors, of_random = (
        # The first of an epoch: the kept weights are evaluated once more at the end.
        list({row["epoch"]: (row["epoch"], row[key]) for row in reversed(history) if key in row}.values())[::-1]
        for history, key in ((info["history"], "loss"), (info["history"], "eval_mse"), (random_history, "eval_mse"))
    )
    return {
        "training": [(epoch, loss * variance) for epoch, loss in losses],
        "validation": errors,
        "validation, from random weights": of_random,
    }


def _peers(comparison: Comparison) -> str:
    header = ["", "Pearson", f"{_percent(LEVEL)} interval", "Spearman", "mean squared error"]
    rows = [
        [
            escape(peer.name),
            _number(peer.pearson),
            span(peer.lower, peer.upper),
            _number(peer.spearman),
            _number(peer.mse),
        ]
        for peer in comparison.scores
    ]
    return _table(rows, header)


def _facts(info: dict, comparison: Comparison) -> dict[str, str]:
    tuning, options = info["finetuning"], info["training_arguments"]
    rows, lengths = tuning["rows"], tuning["insert_lengths"]
    started = f"{tuning['start']} ({tuning['start_chosen_because']})"
    epochs = max((row["epoch"] for row in info["history"]), default=0)
    return {
        "Label": tuning["targets"][0],
        "Files": "; ".join(
            f"{source['name']}: {source['rows']:,} rows, SHA-256 {source['sha256']}"
            for source in tuning["sources"] + tuning["test_sources"]
        ),
        "Rows": f"{rows['train']:,} to train, {rows['validation']:,} to validate, {rows['test']:,} to test",
        "Merged": f"{tuning['merged']:,} rows into others of the same sequence; {tuning['repeated']:,} sequences had "
        "different labels, which were averaged",
        "Inserts": f"{lengths[0]} to {lengths[1]} bp",
        "Start": started,
        "Training": f"{epochs:g} epochs at a rate of {options['learning_rate']:g}",
        "Network": f"{info['parameters']:,} parameters",
        "Prediction intervals": "none: fewer than 29 held-out rows are unrelated to the training rows"
        if comparison.calibrated is None
        else f"calibrated on {comparison.calibrated:,} promoters; dream-bert predict --interval 0.9",
    }


def _table(rows: list[list[str]], header: list[str] | None = None) -> str:
    lines = ["<table>"]
    if header:
        lines.append("<tr>" + "".join(f"<th>{cell}</th>" for cell in header) + "</tr>")
    for first, *cells in rows:
        kind = ' class="number"' if header else ""
        lines.append(f"<tr><th>{first}</th>" + "".join(f"<td{kind}>{cell}</td>" for cell in cells) + "</tr>")
    return "\n".join([*lines, "</table>"])


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "not defined"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"

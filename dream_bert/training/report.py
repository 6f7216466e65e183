"""Write the report of a fine-tuning: one HTML file with all figures in it."""

from functools import partial
from html import escape
from string import Template
from typing import Any

import numpy as np

from .comparison import LEVEL, RESAMPLES, Comparison, TargetComparison, number, span

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
$targets
<h2>Data and training</h2>
$curve
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
    from ..plots.finetuning import learning_curve, to_svg

    curve = to_svg(partial(learning_curve, **_curves(info, random_history)))
    text = "Learning curve. The weights are those of the epoch with the least validation error."
    lengths = np.array([len(insert) for insert in comparison.inserts], dtype=float)
    return _PAGE.substitute(
        name=escape(name),
        verdict=escape(comparison.verdict),
        held_out=escape(info["finetuning"]["held_out"].capitalize()),
        count=f"{len(comparison.inserts):,}",
        level=_percent(LEVEL),
        resamples=f"{RESAMPLES:,}",
        targets="\n".join(_target(each, lengths) for each in comparison.targets),
        curve=_figure(curve, text),
        facts=_table([[key, escape(value)] for key, value in _facts(info, comparison).items()]),
    )


def _target(each: TargetComparison, lengths: np.ndarray) -> str:
    """Write what the report shows of one target: peers and figures."""
    from ..plots.finetuning import errors_by, measured_against_predicted, to_svg

    known = ~np.isnan(each.measured)
    measured, predicted = each.measured[known].astype(float), each.predicted[known].astype(float)
    errors, tuned = predicted - measured, each.scores[0]
    interval = f"Pearson {number(tuned.pearson)}, {_percent(LEVEL)} interval {span(tuned.lower, tuned.upper)}."
    figures = {
        f"Measured against predicted {each.target} of the held-out promoters. {interval}": partial(
            measured_against_predicted, measured=measured, predicted=predicted, target=each.target
        ),
        "Errors by what was measured, with 95 % intervals of the means. Predictions of noisy labels regress to the "
        "mean, so the strongest are underestimated.": partial(
            errors_by, values=measured, errors=errors, label=f"measured {each.target}"
        ),
        "Errors by length of the insert.": partial(
            errors_by, values=lengths[known], errors=errors, label="length of the insert in bp"
        ),
    }
    return "\n".join(
        [
            f"<h3>{escape(each.target)}</h3>",
            _peers(each),
            *(_figure(to_svg(draw), text) for text, draw in figures.items()),
        ]
    )


def _figure(svg: str, text: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(text)}</figcaption></figure>"


def _curves(info: dict, random_history: list[dict]) -> dict[str, Any]:
    """Collect the arguments of `learning_curve`: errors in label units, or of several targets in standard units."""
    targets, std = info["finetuning"]["targets"], info["finetuning"]["label_std"]
    variance = std**2 if len(targets) == 1 else 1.0
    losses, errors, of_random = (
        # The first of an epoch: the kept weights are evaluated once more at the end.
        list({row["epoch"]: (row["epoch"], row[key]) for row in reversed(history) if key in row}.values())[::-1]
        for history, key in ((info["history"], "loss"), (info["history"], "eval_mse"), (random_history, "eval_mse"))
    )
    return {
        "curves": {
            "training": [(epoch, loss * variance) for epoch, loss in losses],
            "validation": errors,
            "validation, from random weights": of_random,
        },
        "target": targets[0] if len(targets) == 1 else "standardised labels",
    }


def _peers(each: TargetComparison) -> str:
    header = ["", "Pearson", f"{_percent(LEVEL)} interval", "Spearman", "mean squared error"]
    rows = [
        [
            escape(peer.name),
            number(peer.pearson),
            span(peer.lower, peer.upper),
            number(peer.spearman),
            number(peer.mse),
        ]
        for peer in each.scores
    ]
    return _table(rows, header)


def _facts(info: dict, comparison: Comparison) -> dict[str, str]:
    tuning, options = info["finetuning"], info["training_arguments"]
    rows, lengths = tuning["rows"], tuning["insert_lengths"]
    started = f"{tuning['start']} ({tuning['start_chosen_because']})"
    epochs = max((row["epoch"] for row in info["history"]), default=0)
    return {
        "Labels": ", ".join(tuning["targets"]),
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


def _percent(share: float) -> str:
    return f"{100 * share:g} %"

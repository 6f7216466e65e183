"""Compute the DREAM score, from correlations over the subsets of the Random Promoter DREAM Challenge 2022's test set.

Subsets, weights and scores are those of Rafi et al. 2024 (https://doi.org/10.1038/s41587-024-02414-w). This file
imports nothing of the package, so that `evaluate.load` takes it by its path.
"""

import numpy as np
from scipy import stats

try:
    import datasets
    import evaluate
except ImportError:  # only `evaluate.load` and `DreamScore` need them
    evaluate = None

WEIGHTS = {
    "all": 1.0,
    "high": 0.3,
    "low": 0.3,
    "yeast": 0.3,
    "random": 0.3,
    "challenging": 0.5,
    "SNVs": 1.25,
    "motif_perturbation": 0.3,
    "motif_tiling": 0.4,
}
"""Weight of each subset in the weighted means; 4.65 in all."""

PAIRED = frozenset({"SNVs", "motif_perturbation", "motif_tiling"})
"""Subsets of [alt, ref] pairs; their correlations are those of the differences alt - ref."""

_DESCRIPTION = """\
Pearson r, r², Spearman rho and n over all rows and over each subset of the Random Promoter DREAM Challenge 2022's
test set, and the challenge's two scores: the weighted mean of r² and the weighted mean of rho.
"""

_CITATION = """\
@article{rafi2024random,
  title   = {A community effort to optimize sequence-based deep learning models of gene regulation},
  author  = {Rafi, Abdul Muntakim and others},
  journal = {Nature Biotechnology},
  year    = {2024},
  doi     = {10.1038/s41587-024-02414-w}
}
"""


def score(predictions, references, rows=None, subsets=None) -> dict:
    """Return the DREAM score of predictions.

    Args:
        predictions: (n,) numbers in any unit: correlations do not depend on the scale.
        references: (n,) measured expression, in the order of `predictions`.
        rows: (n,) official row numbers of the predictions. Default: 0 to n-1.
        subsets: subset name -> row numbers, or [alt, ref] pairs of row numbers for the subsets in `PAIRED`. Members
            with a row outside `rows` are left out. `all` is every row, unless it is given. Default: `all` alone.

    Returns:
        The scores `pearson_score` and `spearman_score`, which are weighted means of r² and of rho over `all` and the
        subsets given, and are left out without `subsets`; and `subsets`, by whose names stand `pearson`, `r2`,
        `spearman` and `n`, the number of rows or pairs.

    Raises:
        ValueError: if lengths differ; a value is not a finite number; a row is repeated; a subset is unknown, has row
            numbers for pairs or the reverse, or keeps fewer than 2 members; or values to correlate are constant.

    >>> result = score([1, 2, 4], [1, 3, 2], subsets={"high": [0, 1], "SNVs": [[1, 0], [2, 1]]})
    >>> round(result["pearson_score"], 3), round(result["spearman_score"], 3)
    (0.65, -0.176)
    >>> result["subsets"]["SNVs"]["n"]
    2
    """
    rows = list(range(len(references)) if rows is None else rows)
    position = {row: i for i, row in enumerate(rows)}
    if len(position) < len(rows):
        raise ValueError(f"row {_first_repeated(rows)} is repeated in rows; give each row once")
    predictions = _numbers("prediction", predictions, rows)
    references = _numbers("reference", references, rows)

    results = {}
    for name, members in {"all": rows, **(subsets or {})}.items():
        at = _positions(name, members, position)
        predicted, measured = (
            values[at[:, 0]] - values[at[:, 1]] if name in PAIRED else values[at[:, 0]]
            for values in (predictions, references)
        )
        results[name] = _correlations(name, predicted, measured)
    if not subsets:
        return {"subsets": results}
    return {
        "pearson_score": _weighted_mean(results, "r2"),
        "spearman_score": _weighted_mean(results, "spearman"),
        "subsets": results,
    }


def _numbers(what: str, values, rows: list) -> np.ndarray:
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the {what}s are not numbers ({error}); give one {what} a row") from error
    if values.shape != (len(rows),):
        raise ValueError(f"{what}s have shape {values.shape} for {len(rows)} rows; give one {what} a row")
    if not (finite := np.isfinite(values)).all():
        i = int(finite.argmin())
        raise ValueError(f"the {what} of row {rows[i]} is {values[i]}; give a finite number")
    # Scale by a power of 2, which changes no correlation: squares of the largest floats would overflow.
    return np.ldexp(values, -np.frexp(np.abs(values).max(initial=0))[1])


def _positions(name: str, members, position: dict) -> np.ndarray:
    """Return the positions of a subset's labelled members, int (m, 1), or (m, 2) for pairs."""
    if name not in WEIGHTS:
        raise ValueError(f"subset {name!r:.80} is unknown; the subsets are {', '.join(WEIGHTS)}")
    form, item = ("[alt, ref] pairs", (2,)) if name in PAIRED else ("row numbers", ())
    try:
        array = np.array(members)
    except ValueError:  # members of different lengths
        array = np.array(None)
    if array.ndim == 0 or array.size and (array.shape[1:] != item or array.dtype.kind not in "iu"):
        raise ValueError(f"subset {name!r} is not a list of {form}; give {form} of whole numbers")
    members = [tuple(member) for member in array.reshape(-1, *item or (1,)).tolist()]
    if len(set(members)) < len(members):
        twice = ", ".join(map(str, _first_repeated(members)))
        raise ValueError(f"[{twice}] is repeated in subset {name!r}; give each member once")
    kept = [[position[row] for row in member] for member in members if all(row in position for row in member)]
    if len(kept) < 2:
        raise ValueError(
            f"subset {name!r} has {len(kept)} of its {len(members)} members among the labelled rows; "
            "leave it out, or label at least 2"
        )
    return np.array(kept)


def _correlations(name: str, predicted: np.ndarray, measured: np.ndarray) -> dict:
    for what, values in (("predicted", predicted), ("measured", measured)):
        # Differences as small as rounding errors would give a random correlation.
        if np.ptp(values) <= 1e-12 * np.abs(values).max():
            kind = "differences" if name in PAIRED else "values"
            wrong = f"the {what} {kind} of subset {name!r} are constant, so their correlation is not defined"
            raise ValueError(f"{wrong}; leave the subset out, or give values that differ")
    r = float(stats.pearsonr(predicted, measured).statistic)
    rho = float(stats.spearmanr(predicted, measured).statistic)
    return {"pearson": r, "r2": r**2, "spearman": rho, "n": len(predicted)}


def _weighted_mean(results: dict, key: str) -> float:
    return float(np.average([result[key] for result in results.values()], weights=[WEIGHTS[name] for name in results]))


def _first_repeated(values: list):
    seen = set()
    return next(value for value in values if value in seen or seen.add(value))


if evaluate is not None:

    class DreamScore(evaluate.Metric):
        """`score` as an `evaluate` metric: `compute(predictions=..., references=..., rows=None, subsets=None)`."""

        def _info(self) -> evaluate.MetricInfo:
            number = datasets.Value("float64")
            return evaluate.MetricInfo(
                description=_DESCRIPTION,
                citation=_CITATION,
                inputs_description=score.__doc__,
                features=datasets.Features({"predictions": number, "references": number}),
            )

        def _compute(self, predictions, references, rows=None, subsets=None) -> dict:
            return score(predictions, references, rows, subsets)


def __getattr__(name: str):
    if name == "DreamScore":
        raise ImportError("DreamScore needs evaluate; pip install 'dream-promoter-bert[metrics]'", name="evaluate")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

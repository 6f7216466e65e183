"""Compare predictions for cropped, lengthened or masked promoters with those for the whole promoters.

    python benchmarks/cropped.py

Random promoters of the challenge's base composition; each variant is predicted and its Pearson correlation with the
predictions for the whole promoters is reported. Writes `benchmarks/results/cropped.json`.
"""

import argparse
import warnings

import measuring
import numpy as np
from scipy.stats import pearsonr

from dream_bert import predict
from dream_bert.data.simulate import BASE_FREQUENCIES, BASES
from dream_bert.errors import InputWarning
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import model_name

MODELS = ("dream-promoter-bert", "dream-promoter-conv")
LENGTH = 80
LENGTHS = (88, 72, 40, 7)
HIDDEN = 8
"""Number of bases replaced by N."""


def variants(inserts: np.ndarray, flanks: np.ndarray, draw: np.random.Generator) -> dict[str, list[str]]:
    """Lengthen, crop around the middle, or mask inserts, characters (n, LENGTH)."""
    longer = np.concatenate([flanks[:, 0::2], inserts, flanks[:, 1::2]], axis=1)
    results = {}
    for length in LENGTHS:
        begin = (longer.shape[1] - length) // 2
        results[f"{length} bp"] = ["".join(row) for row in longer[:, begin : begin + length]]
    masked = inserts.copy()
    np.put_along_axis(masked, draw.random(inserts.shape).argsort(axis=1)[:, :HIDDEN], "N", axis=1)
    return results | {f"{HIDDEN} of {LENGTH} bases as N": ["".join(row) for row in masked]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=3000, help="promoters [%(default)s]")
    promoters = parser.parse_args().n
    warnings.simplefilter("ignore", InputWarning)
    draw = np.random.default_rng(0)
    share = np.divide(BASE_FREQUENCIES, sum(BASE_FREQUENCIES))
    inserts = draw.choice(list(BASES), (promoters, LENGTH), p=share)
    flanks = draw.choice(list(BASES), (promoters, max(LENGTHS) - LENGTH), p=share)
    changed = variants(inserts, flanks, draw)
    result = {"promoters": promoters, "pearson": {}}
    for name in MODELS:
        model = load_model(model_name(name))
        whole = predict(["".join(row) for row in inserts], model)
        result["pearson"][name] = {
            variant: float(pearsonr(whole, predict(rows, model)).statistic) for variant, rows in changed.items()
        }
    rows = [[name, *(f"{row[name]:.2f}" for row in result["pearson"].values())] for name in changed]
    print(measuring.table(["correlation with the whole promoter's prediction", *MODELS], rows))
    measuring.write(__file__, result)


if __name__ == "__main__":
    main()

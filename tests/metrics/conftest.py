"""Made predictions, and the subsets in which they are scored."""

import numpy as np
import pytest

from dream_bert.metrics.dream_score import PAIRED, WEIGHTS


@pytest.fixture(scope="module")
def made():
    """40 rows with gaps in their numbers, rounded so that ties occur, and all eight subsets."""
    rng = np.random.default_rng(0)
    rows = (3 * rng.permutation(40) + 1).tolist()
    references = rng.normal(size=40).round(1)
    predictions = (references + rng.normal(size=40)).round(1)
    subsets = {}
    for name in set(WEIGHTS) - {"all"}:
        if name in PAIRED:
            subsets[name] = np.reshape(rng.permutation(rows)[:30], (15, 2)).tolist()
        else:
            subsets[name] = rng.permutation(rows)[:12].tolist()
    return predictions.tolist(), references.tolist(), rows, subsets

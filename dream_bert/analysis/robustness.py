"""Summarise the effects of all single substitutions of a promoter, as Vaishnav et al. 2022 do.

Vaishnav, E. D. et al. The evolution, evolvability and engineering of gene regulatory DNA. Nature 603, 455-463 (2022),
https://doi.org/10.1038/s41586-022-04506-6. Where the paper's text leaves room, its program decides:
https://github.com/1edv/evolution, `app/app.py`.
"""

import numpy as np

EPSILON = 0.1616
"""Expression that a change may make and count as none, in the units of the paper's model, which are sorting bins as
those of the models here. (`epsilon` in the paper's program.)"""


def evolvability_vector(effects: np.ndarray, one_hot: np.ndarray) -> np.ndarray:
    """Return the effects of all single substitutions of a sequence in ascending order: float32 (substitutions,).

    For 80 bp these are 240. The vector tells how far one mutation can move expression, and how many do so.

    Args:
        effects: float32 (4, length), as one of `Mutagenesis.effects` without normalisation. NaN is left out.
        one_hot: (4, length): 1 where the sequence has that base.

    >>> evolvability_vector(np.float32([[0], [2], [-1], [0.5]]), np.array([[1], [0], [0], [0]])).tolist()
    [-1.0, 0.5, 2.0]
    """
    changed = np.asarray(effects)[np.asarray(one_hot) == 0]
    return np.sort(changed[~np.isnan(changed)])


def mutational_robustness(effects: np.ndarray, one_hot: np.ndarray, epsilon: float = EPSILON) -> float:
    """Return the share of single substitutions that change expression by less than `epsilon`: 0 to 1.

    Args:
        effects, one_hot: as in `evolvability_vector`.
        epsilon: the change in expression, up or down, that counts as none.

    Raises:
        ValueError: if there is no substitution.

    >>> mutational_robustness(np.float32([[0], [2], [-0.1], [0.16]]), np.array([[1], [0], [0], [0]]))
    0.6666666666666666
    """
    vector = evolvability_vector(effects, one_hot)
    if not len(vector):
        raise ValueError("effects hold no substitution; give those of at least one position")
    return float(np.mean(np.abs(vector.astype(np.float64)) < epsilon))

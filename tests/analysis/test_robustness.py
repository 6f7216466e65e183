"""Evolvability and robustness as Vaishnav et al. define them, beside a plain count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.analysis.robustness import EPSILON, evolvability_vector, mutational_robustness

effects = st.floats(-17, 17, width=32)


@given(st.text("ACGT", min_size=1, max_size=30), st.data())
def test_against_a_plain_count(sequence, data):
    values = {
        (place, base): data.draw(effects) for place, own in enumerate(sequence) for base in "ACGT" if base != own
    }
    array, one_hot = np.zeros((4, len(sequence)), dtype=np.float32), np.zeros((4, len(sequence)), dtype=np.int8)
    for place, base in enumerate(sequence):
        one_hot["ACGT".index(base), place] = 1
    for (place, base), value in values.items():
        array["ACGT".index(base), place] = value
    assert evolvability_vector(array, one_hot).tolist() == sorted(values.values())
    small = sum(abs(value) < EPSILON for value in values.values())
    assert mutational_robustness(array, one_hot) == small / (3 * len(sequence))


def test_what_was_not_predicted_does_not_count():
    array, one_hot = np.full((4, 3), np.nan), np.zeros((4, 3))
    array[:, 1], one_hot[2, 1] = [0.1, -0.5, 0, 3], 1
    assert evolvability_vector(array, one_hot).tolist() == [-0.5, 0.1, 3]
    assert mutational_robustness(array, one_hot) == 1 / 3
    assert mutational_robustness(array, one_hot, epsilon=1) == 2 / 3


def test_nothing_to_count():
    with pytest.raises(ValueError, match="effects hold no substitution; give"):
        mutational_robustness(np.full((4, 3), np.nan), np.zeros((4, 3)))

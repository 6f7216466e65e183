"""How close two computations of one result are, whatever the processor, its threads and the libraries.

Each float32 operation rounds its result by at most 2**-24 of its size. Processors, threads and libraries add in other
orders, so they round elsewhere. The roundings of a result of n operations are of random sign: they add up to about
sqrt(n) * 2**-24 of the size of what is added. A prediction of the models here is the result of some 10,000 operations,
one after another; 2**16 leave room for layers that enlarge a difference.

In int8, a value is rounded to one of 255 steps of its range. Where float32 rounds elsewhere, a value close to the
middle between two steps goes to the other one.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike

OPERATIONS = 2**16
"""Operations, one after another, that lead to an output of a network."""

UNIT_ROUNDOFF = 2.0**-24
"""What one float32 operation rounds by, relative to its result."""

INT8_STEP = 2.0**-8
"""What one step of int8 is, relative to the range of the values."""


def assert_close(
    actual: ArrayLike | torch.Tensor,
    expected: ArrayLike | torch.Tensor,
    *,
    operations: int = OPERATIONS,
    decimals: int | None = None,
    int8: bool = False,
    name: str = "",
) -> None:
    """Assert that values of one shape are equal up to float32 rounding.

    Args:
        actual: of any shape.
        expected: of the same. The largest sets the size, as all are sums of terms of that size; hidden states are of
            size 1 at least.
        operations: one after another, that lead to a value.
        decimals: that one of the two was printed with. Default: neither was printed.
        int8: whether both were computed in int8, so that roundings to either of two steps are equal.
        name: of the values, for the message.
    """
    actual, expected = _as_array(actual), _as_array(expected)
    assert actual.shape == expected.shape, f"{name} {actual.shape} != {expected.shape}"
    size = max(1.0, np.abs(expected).max(initial=0))
    allowed = size * (operations**0.5 * UNIT_ROUNDOFF + int8 * INT8_STEP)
    if decimals is not None:
        allowed += 0.5 * 10.0**-decimals
    np.testing.assert_allclose(actual, expected, rtol=0, atol=allowed, err_msg=name, equal_nan=False)


def assert_int8_close(int8: ArrayLike, float32: ArrayLike) -> None:
    """Assert that a trained model's values in int8 differ from those in float32 by roundings to int8, and do differ.

    Each layer rounds its inputs and weights by up to half a step of their range, so the outputs differ by some steps
    of theirs. Allowed is a root mean square of 16 steps of their standard deviation.
    """
    int8, float32 = _as_array(int8), _as_array(float32)
    difference = np.sqrt(np.square(int8 - float32).mean())
    assert 0 < difference < 16 * INT8_STEP * float32.std(), (difference, float32.std())


def _as_array(values: ArrayLike | torch.Tensor) -> np.ndarray:
    """Convert to float64, so that the comparison itself does not round."""
    return np.asarray(values.detach() if isinstance(values, torch.Tensor) else values, dtype=np.float64)

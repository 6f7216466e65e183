"""Generate promoters for a teacher to label.

All functions take and return bases, uint8 (n, length), A C G T as 0 to 3; `write_out` converts them to text of the
challenge's lengths. Results depend on the inputs and the random generator `draw` alone.
"""

from collections.abc import Callable, Iterator

import numpy as np
from motifs import Matrices, plant, plant_series

from dream_bert.data.simulate import BASE_FREQUENCIES, INSERT_LENGTHS
from dream_bert.sequence.encoding import spell

PLACES = 3
"""Positions that each site is moved to."""

SHARES = {"random": 0.2, "spliced": 0.1, "mutated": 0.1, "planted": 0.4, "moved": 0.2}
"""Kinds of promoters and their shares."""

PAIRED = 0.25
"""Share of copies with one base changed."""


def random_bases(n: int, length: int, draw: np.random.Generator) -> np.ndarray:
    """Draw random promoters with the challenge's composition."""
    ends = np.cumsum(BASE_FREQUENCIES) / np.sum(BASE_FREQUENCIES)
    return np.searchsorted(ends[:-1], draw.random((n, length)), side="right").astype(np.uint8)


def splice(first: np.ndarray, second: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Join the beginning of each first promoter to the end of the second."""
    n, length = first.shape
    return np.where(np.arange(length) < draw.integers(1, length, size=(n, 1)), first, second)


def mutate(promoters: np.ndarray, most: float, draw: np.random.Generator) -> np.ndarray:
    """Copy promoters, and replace up to a share of `most` of their bases by random ones."""
    chosen = draw.random(promoters.shape) < draw.uniform(0, most, (len(promoters), 1))
    return np.where(chosen, random_bases(*promoters.shape, draw), promoters)


def change_one(promoters: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Copy promoters, and change one base of each."""
    changed, rows = promoters.copy(), np.arange(len(promoters))
    at = draw.integers(promoters.shape[1], size=len(promoters))
    changed[rows, at] = (changed[rows, at] + draw.integers(1, 4, size=len(promoters))) % 4
    return changed


def invent(native: np.ndarray, matrices: Matrices, n: int, draw: np.random.Generator) -> np.ndarray:
    """Generate n promoters: all kinds in `SHARES`, then copies of some with one base changed.

    Args:
        native: measured promoters to start from.
        matrices: factors whose sites are planted into random and native promoters.
        n: how many to generate.
        draw: the random generator.
    """
    n_own = n - int(n * PAIRED)
    counts = dict(zip(SHARES, draw.multinomial(n_own, list(SHARES.values())), strict=True))

    def from_native(count: int) -> np.ndarray:
        return native[draw.integers(len(native), size=count)]

    def from_any(count: int) -> np.ndarray:
        random = random_bases(count, native.shape[1], draw)
        return np.where(draw.random((count, 1)) < 0.5, random, from_native(count))

    backgrounds = from_any(-(-counts["moved"] // (1 + PLACES)))
    own = np.concatenate(
        [
            random_bases(counts["random"], native.shape[1], draw),
            splice(from_native(counts["spliced"]), from_any(counts["spliced"]), draw),
            mutate(from_native(counts["mutated"]), 0.2, draw),
            plant(from_any(counts["planted"]), matrices, draw),
            plant_series(backgrounds, matrices, PLACES, draw)[: counts["moved"]],
        ]
    )
    return np.concatenate([own, change_one(own[draw.permutation(n_own)[: n - n_own]], draw)])


def evolve(
    starts: np.ndarray,
    score: Callable[[np.ndarray], np.ndarray],
    generations: int,
    children: int,
    draw: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Evolve the first half of the promoters to low scores and the other half to high ones.

    The children of a promoter are copies with one or two bases changed. The best of them and the parent is the parent
    of the next generation.

    Yields:
        The children of each generation, uint8 (n * children, length), and their scores.
    """
    best, n = starts, len(starts)
    sign = np.where(np.arange(n) < n // 2, -1, 1)
    scores = score(best)
    for _ in range(generations):
        young = change_one(best.repeat(children, axis=0), draw)
        young = np.where(draw.random((len(young), 1)) < 0.5, young, change_one(young, draw))
        reached = score(young)
        yield young, reached
        pool = np.concatenate([scores[:, None], reached.reshape(n, children)], axis=1)
        winner = (sign[:, None] * pool).argmax(1)
        families = np.concatenate([best[:, None], young.reshape(n, children, -1)], axis=1)
        best, scores = families[np.arange(n), winner], pool[np.arange(n), winner]


def write_out(promoters: np.ndarray, draw: np.random.Generator) -> list[str]:
    """Write promoters as text of 78 to 81 bp, in the challenge's shares, with bases deleted or repeated at random."""
    lengths = [length for length in INSERT_LENGTHS if 78 <= length <= 81]
    shares = np.array([INSERT_LENGTHS[length] for length in lengths])
    wanted = draw.choice(lengths, len(promoters), p=shares / shares.sum()).tolist()
    places = draw.integers(promoters.shape[1] - 4, size=len(promoters)).tolist()
    text, width = spell(promoters), promoters.shape[1]
    inserts = (text[begin : begin + width] for begin in range(0, len(text), width))
    return [_resize(*row) for row in zip(inserts, wanted, places, strict=True)]


def _resize(insert: str, length: int, place: int) -> str:
    """Delete or repeat bases at a place of the insert, so that it has the length.

    >>> _resize("ACGTT", 4, 1), _resize("ACGTT", 6, 1)
    ('AGTT', 'ACCGTT')
    """
    missing = len(insert) - length
    return insert[: place + max(0, -missing)] + insert[place + max(0, missing) :]

"""Choose the model to start from and the options of a fine-tuning, by the number and the length of the promoters.

`benchmarks/finetune.py` measures what these choices are worth.
"""

from typing import NamedTuple

from ..errors import DataError
from ..inference.loading import regression_class
from ..inference.model_files import model_name
from ..models.configuration_dna import DnaConfig
from ..sequence.encoding import longest_insert, positions_for

BERT, CONVOLUTIONS = "dream-promoter-bert", "dream-promoter-conv"

HELD_OUT = 0.15
"""Fraction of the rows that each of the splits validation and test takes."""

_STEPS = 1600
"""Optimizer steps that a training of many epochs may take at least; validation stops most earlier."""


class Start(NamedTuple):
    """The model to start from, why it was chosen, its new number of positions (None: its own), its configuration."""

    model: str
    reason: str
    positions: int | None
    config: DnaConfig


def choose_start(model: str | None, longest: int) -> Start:
    """Choose the model to start from, and how many positions it needs.

    Without `model`, the BERT is chosen where it has positions for all inserts, because it is ahead of the convolutions
    after 500 rows (r 0.713 against 0.688 on 2,000 others). For longer inserts the convolutions are chosen, which read
    them as they are.

    Args:
        model: folder, Hub id or shipped name. Default: chosen.
        longest: longest insert in bp.

    Raises:
        DataError: if the model cannot read inserts of that length.
        ModelError, OSError: if there is no such model.
    """
    name = model
    if model is None:
        limit = longest_insert(config_of(BERT))
        name = BERT if longest <= limit else CONVOLUTIONS
        reason = f"the longest insert is {longest} bp, and the BERT reads up to {limit} bp"
    else:
        reason = "asked for"
    config = config_of(name)
    limit = longest_insert(config)
    if longest <= limit:
        return Start(name, reason, None, config)
    if config.model_type != "bert":
        what = f"the longest insert is {longest} bp and {name} reads at most {limit} bp"
        raise DataError(f"{what}; give shorter inserts")
    return Start(
        name,
        f"{reason}; its positions are extended for inserts of {longest} bp instead of {limit} bp",
        positions_for(longest, config),
        config,
    )


class Recipe(NamedTuple):
    """Options of a fine-tuning."""

    learning_rate: float
    batch_size: int
    epochs: int
    patience: int

    def steps(self, rows: int) -> int:
        """Return the number of optimizer steps for so many training rows, without early stopping."""
        return self.epochs * -(-rows // self.batch_size)


def choose_recipe(rows: int, is_bert: bool, random_weights: bool = False) -> Recipe:
    """Choose the options by the number of training rows.

    A trained BERT needs few epochs: after four it has learned what 50 to 2,000 promoters of another scaffold teach,
    and more make it worse. Convolutions take more, and random weights as many as validation allows. Few rows come
    in small batches, so that there are enough steps.

    >>> choose_recipe(1700, is_bert=True)
    Recipe(learning_rate=0.0001, batch_size=32, epochs=4, patience=2)
    >>> choose_recipe(1700, is_bert=True, random_weights=True)
    Recipe(learning_rate=0.0005, batch_size=32, epochs=20, patience=4)
    """
    batch_size = 16 if rows < 300 else 32
    many = min(20, max(8, -(-_STEPS * batch_size // rows)))
    if random_weights:
        return Recipe(5e-4 if is_bert else 1e-3, batch_size, many, patience=4)
    if is_bert:
        return Recipe(1e-4, batch_size, epochs=4, patience=2)
    return Recipe(5e-4, batch_size, many, patience=4)


def config_of(name: str) -> DnaConfig:
    """Read the configuration of a model, by folder, Hub id or shipped name."""
    found = model_name(name)
    return regression_class(found).config_class.from_pretrained(found)

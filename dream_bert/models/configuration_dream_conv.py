"""The convolutional model's configuration."""

from collections.abc import Sequence
from typing import Any

# Old transformers copies from a local folder only what the file that it loads imports itself.
from .config_checks import check_config  # noqa: F401
from .configuration_dna import DnaConfig


class DreamConvConfig(DnaConfig):
    """The fields of `DnaConfig`, with stride 1 and no context, and the convolutions' sizes.

    Args:
        motif_size: bp that the first convolution reads; default 13.
        kernel_size: places that the others read; default 7.
        dilations: bp from one of these places to the next, for each of the other convolutions; default (1, 2, 4).
        hidden_size: channels; default 192.
        hidden_dropout_prob: share of the channels that training leaves out of a convolution's input, and twice
            as many of the head's; default 0.1.
        **kwargs: of `DnaConfig`.

    Raises:
        ValueError: if a value is of a wrong type or outside its range.
    """

    model_type = "dream_conv"

    def __init__(
        self,
        motif_size: int = 13,
        kernel_size: int = 7,
        dilations: Sequence[int] = (1, 2, 4),
        hidden_size: int = 192,
        hidden_dropout_prob: float = 0.1,
        **kwargs: Any,
    ):
        dilations = list(dilations) if isinstance(dilations, tuple) else dilations
        sizes = dict(hidden_size=hidden_size, motif_size=motif_size, kernel_size=kernel_size, dilations=dilations)
        super().__init__(**dict(stride=1, context=0) | kwargs | sizes, hidden_dropout_prob=hidden_dropout_prob)
        if (self.stride, self.context) != (1, 0):
            raise ValueError(f"stride is {self.stride} and context {self.context}; this model has stride 1, context 0")

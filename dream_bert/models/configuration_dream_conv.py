"""Define the convolutional model's configuration."""

from collections.abc import Sequence
from typing import Any

# Imported for older transformers: they copy from a local folder only files that the loaded one imports itself.
from .config_checks import check_config  # noqa: F401
from .configuration_dna import DnaConfig
from .target_fields import target_names  # noqa: F401


class DreamConvConfig(DnaConfig):
    """The fields of `DnaConfig`, with stride 1 and no context, and the sizes of the convolutions.

    Args:
        motif_size: kernel size of the first convolution, in bp. Default: 13.
        kernel_size: kernel size of the others. Default: 7.
        dilations: dilation of each of the others, in bp. Default: (1, 2, 4).
        hidden_size: channels. Default: 192.
        hidden_dropout_prob: dropout of a convolution's input channels; the head has twice as much. Default: 0.1.
        **kwargs: fields of `DnaConfig`.

    Raises:
        ValueError: if a value has a wrong type or is out of range.
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
            raise ValueError(f"stride is {self.stride} and context {self.context}; give stride 1 and context 0")

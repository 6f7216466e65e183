"""Define convolutions that predict expression: they learn much faster than a BERT, and can teach one."""

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import can_return_tuple

from .config_checks import check_config  # noqa: F401

# Imported for older transformers: they copy from a local folder only files that the loaded one imports itself.
from .configuration_dna import DnaConfig  # noqa: F401
from .configuration_dream_conv import DreamConvConfig
from .conv_layers import ConvLayers
from .modeling_dna import FromSafetensors, PredictsExpression
from .target_fields import target_names  # noqa: F401
from .weights import read_weights  # noqa: F401


class DreamConvForSequenceRegression(PredictsExpression, FromSafetensors, ConvLayers, PreTrainedModel):
    """The convolutions of `ConvLayers` as a model of transformers."""

    config_class = DreamConvConfig
    base_model_prefix = "model"
    accepts_loss_kwargs = False

    def __init__(self, config: DreamConvConfig):
        super().__init__(config)
        self.build_layers(config)
        config.auto_map = {
            "AutoConfig": "configuration_dream_conv.DreamConvConfig",
            "AutoModel": "modeling_dream_conv.DreamConvForSequenceRegression",
            "AutoModelForSequenceClassification": "modeling_dream_conv.DreamConvForSequenceRegression",
        }
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv1d | nn.Linear):
            module.reset_parameters()
        if module is self:
            nn.init.zeros_(self.sixmers)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **kwargs,
    ) -> SequenceClassifierOutput:
        """Predict expression, and compute the loss if labels are given.

        Args:
            input_ids: int64 (n, length), `[CLS]`, overlapping 3-mers, `[SEP]`, padding.
            attention_mask: int64 (n, length), 0 at padding; None means no padding.
            labels: expression, float (n,), or (n, targets); NaN where it was not measured.
            token_type_ids: ignored; stock tokenizers return them.

        Returns:
            `logits`, (n, targets), in expression units; `loss`, as `mean_squared_error` computes it.
        """
        logits = self.expression(input_ids, attention_mask)
        loss = None if labels is None else self.mean_squared_error(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


DreamConvConfig.register_for_auto_class()
DreamConvForSequenceRegression.register_for_auto_class("AutoModelForSequenceClassification")

"""Pretrain a BERT on promoters by masked language modelling.

dream-bert prepare promoters.txt -o prepared
accelerate launch -m dream_bert.training.run_mlm --data prepared --preset seed --output_dir mlm
"""

from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional as F

from ..data.batches import IGNORED, MaskedLMBatches
from ..models.modeling_dream_bert import DreamBertForMaskedLM
from .arguments import RunArguments, parse_arguments
from .info import write_info
from .metrics import masked_lm_metrics, token_and_log_probability
from .run import build_model, check_validation, evaluate, open_split, run_script, train
from .trainer import PromoterTrainer


def with_predicted(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Add the argument `predicted` to a batch, so that the model computes the logits of the labelled tokens only."""
    return batch | {"predicted": batch["labels"] != IGNORED}


def loss(outputs, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
    """Compute the mean cross-entropy over the labelled tokens of all accumulation steps and processes."""
    right = labels[labels != IGNORED]
    total = F.cross_entropy(outputs.logits.float(), right, reduction="sum")
    return total / (len(right) if num_items_in_batch is None else num_items_in_batch)


@dataclass
class PretrainingArguments(RunArguments):
    metric_for_best_model: str = "mlm_loss"
    greater_is_better: bool = False
    include_for_metrics: list[str] = field(default_factory=lambda: ["inputs"])


def main(args: list[str] | None = None) -> None:
    model_args, data_args, run_args = parse_arguments(PretrainingArguments, args)
    model = build_model(DreamBertForMaskedLM, model_args, run_args.seed)
    config = model.config

    def batches(split: str, limit: int | None = None) -> MaskedLMBatches:
        return MaskedLMBatches(open_split(data_args.data, "mlm", split, run_args), config, run_args.seed, limit)

    training, validation = batches("train", data_args.max_train_rows), batches("validation")
    check_validation(validation, run_args)
    trainer = PromoterTrainer(
        model,
        run_args,
        train_dataset=training,
        eval_dataset=validation,
        data_collator=with_predicted,  # a data set's items are batches already
        compute_loss_func=loss,
        compute_metrics=lambda prediction: masked_lm_metrics(prediction, config.stride, config.context),
        preprocess_logits_for_metrics=token_and_log_probability,
    )
    train(trainer)
    write_info(trainer, model_args, data_args, evaluate(trainer))


if __name__ == "__main__":
    run_script(main)

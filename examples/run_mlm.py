"""Pretrain a BERT on promoters by masked language modelling.

dream-bert prepare promoters.txt -o prepared
accelerate launch examples/run_mlm.py --data prepared --preset seed --output_dir mlm
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import EvalPrediction

from dream_bert import DreamBertForMaskedLM
from dream_bert.arguments import RunArguments, parse_arguments
from dream_bert.batches import IGNORED, MaskedLMBatches, best_random_accuracy
from dream_bert.encoding import MASK
from dream_bert.record import write_info
from dream_bert.training import PromoterTrainer, build_model, open_split, run_script, train


def with_predicted(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """A batch that asks the model for the logits of the tokens to predict alone."""
    return batch | {"predicted": batch["labels"] != IGNORED}


def loss(outputs, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
    """Cross-entropy a predicted token of the whole batch, over all its accumulation steps and processes."""
    right = labels[labels != IGNORED]
    total = F.cross_entropy(outputs.logits.float(), right, reduction="sum")
    return total / (len(right) if num_items_in_batch is None else num_items_in_batch)


def token_and_log_probability(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The most probable token and the log-probability of the right one, where one is to be predicted."""
    predicted = labels != IGNORED
    right = F.log_softmax(logits.float(), dim=-1).gather(-1, labels[predicted][:, None]).squeeze(-1)
    log_probability = torch.zeros(labels.shape, dtype=right.dtype, device=right.device)
    return (
        torch.zeros_like(labels).masked_scatter(predicted, logits.argmax(-1)),
        log_probability.masked_scatter(predicted, right),
    )


def metrics(prediction: EvalPrediction, stride: int, context: int) -> dict[str, float]:
    """Loss and accuracy on the predicted tokens, and on those that read `[MASK]` beside random DNA's best."""
    (token, log_probability), labels, ids = prediction.predictions, prediction.label_ids, prediction.inputs
    predicted, masked = labels != IGNORED, ids == MASK
    return {
        "mlm_loss": float(-log_probability[predicted].mean()),
        "accuracy": float(np.mean(token[predicted] == labels[predicted])),
        "masked_loss": float(-log_probability[masked].mean()),
        "masked_accuracy": float(np.mean(token[masked] == labels[masked])),
        "masked_accuracy_random_dna": float(best_random_accuracy(ids, stride, context).mean()),
    }


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

    trainer = PromoterTrainer(
        model,
        run_args,
        train_dataset=batches("train", data_args.max_train_rows),
        eval_dataset=batches("validation"),
        data_collator=with_predicted,  # a data set's items are batches already
        compute_loss_func=loss,
        compute_metrics=lambda prediction: metrics(prediction, config.stride, config.context),
        preprocess_logits_for_metrics=token_and_log_probability,
    )
    train(trainer)
    write_info(trainer, model_args, data_args, {"validation": trainer.evaluate()})


if __name__ == "__main__":
    run_script(main)

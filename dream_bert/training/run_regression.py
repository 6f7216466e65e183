"""Fine-tune a pretrained BERT, or train one from random weights, to predict expression.

dream-bert prepare promoters.txt -o prepared
accelerate launch -m dream_bert.training.run_regression --data prepared --model mlm --output_dir regression
"""

from dataclasses import dataclass, field

from torch import Tensor
from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from ..data.batches import IGNORED, RegressionBatches
from ..errors import ArgumentError
from ..inference.loading import REGRESSION_MODELS
from ..models.modeling_dream_conv import DreamConvForSequenceRegression
from .arguments import DataArguments, ModelArguments, RunArguments, parse_arguments
from .distillation import TaughtOutput, load_teacher, taught
from .info import write_info
from .label_scale import has_output_layer, start_at_labels
from .metrics import regression_metrics
from .outputs import set_targets
from .run import build_model, check_validation, evaluate, open_split, run_script, train
from .trainer import PromoterTrainer


@dataclass
class FineTuningArguments(RunArguments):
    metric_for_best_model: str = "mse"
    greater_is_better: bool = False
    partial_rows: float = field(
        default=0.0, metadata={"help": "Fraction of training rows that are cropped or get random N; 0 to 1."}
    )
    teacher: str | None = field(
        default=None,
        metadata={"help": "Learn its features too: convolutions (folder, Hub id, shipped name) or DeepAtt (file)."},
    )
    ridge_share: float | None = field(
        default=0.0,
        metadata={
            "help": "Share of ridge regression on 6-mers in the prediction of convolutions; 0 to 1. In YAML, "
            "null lets the validation rows choose it."
        },
    )


def main(args: list[str] | None = None) -> None:
    fine_tune(*parse_arguments(FineTuningArguments, args))


def fine_tune(
    model_args: ModelArguments,
    data_args: DataArguments,
    run_args: FineTuningArguments,
    progress: TrainerCallback | None = None,
) -> None:
    """Train a model of expression, or resume its training, and write its folder `run_args.output_dir`.

    Args:
        model_args, data_args, run_args: as on the command line.
        progress: shows the progress in place of Trainer's own lines. Default: None, Trainer's.

    Raises:
        ArgumentError: if arguments are out of range or do not go together.
        DataError, ModelError, OSError: if data, model or output folder cannot be used.
        SystemExit: after SIGTERM, as `train`.
    """
    if not 0 <= run_args.partial_rows <= 1:
        raise ArgumentError(f"--partial_rows is {run_args.partial_rows}; give a share of the rows, from 0 to 1")
    if run_args.ridge_share is not None and not 0 <= run_args.ridge_share <= 1:
        raise ArgumentError(f"--ridge_share is {run_args.ridge_share}; give a share of the prediction, from 0 to 1")
    kind = REGRESSION_MODELS[model_args.config().model_type]
    mixes = run_args.ridge_share != 0
    if mixes and kind is not DreamConvForSequenceRegression:
        raise ArgumentError("--ridge_share is for convolutions; leave it out, or give --preset conv")
    splits = {
        name: open_split(data_args.data, "regression", name, run_args) for name in ("train", "validation", "test")
    }
    targets = splits["train"].targets
    if mixes and len(targets) > 1:
        raise ArgumentError(f"--ridge_share is for one target, and the data have {len(targets)}; leave it out")
    name = run_args.teacher
    teacher = None if name is None else load_teacher(name, model_args.config(), run_args.device)
    is_trained = model_args.start is not None and has_output_layer(model_args.config())
    model = build_model(kind, model_args, run_args.seed)
    set_targets(model, targets)
    config = model.config

    def batches(split: str, **kwargs) -> RegressionBatches:
        return RegressionBatches(splits[split], config, run_args.seed, **kwargs)

    training = batches("train", limit=data_args.max_train_rows, partial_rows=run_args.partial_rows)
    test = batches("test")
    validation = batches("validation")
    check_validation(validation, run_args)
    model.to(run_args.device)
    start_at_labels(model, RegressionBatches(training.rows, config, limit=data_args.max_train_rows), is_trained)
    lengths = training.rows.manifest["insert_length"]
    config.insert_lengths = [lengths["shortest"], lengths["longest"]]

    def loss(outputs, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
        """Compute the mean squared error over the labels of all accumulation steps and processes."""
        error = model.squared_errors(outputs.logits, labels)
        if isinstance(outputs, TaughtOutput):
            error = error + outputs.hint_error.view(-1, *[1] * (labels.dim() - 1))
        error = error[labels != IGNORED]
        return error.sum() / (len(error) if num_items_in_batch is None else num_items_in_batch)

    trainer = PromoterTrainer(
        model if teacher is None else taught(model, teacher, training),
        run_args,
        train_dataset=training,
        eval_dataset=validation,
        data_collator=dict,  # a data set's items are batches already
        compute_loss_func=loss,
        compute_metrics=lambda prediction: regression_metrics(prediction, config.targets, config.label_std),
    )
    if progress is not None:
        for printing in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(printing)
        trainer.add_callback(progress)
    run_args.ridge_share = train(trainer, run_args.ridge_share)
    test_metrics = {"test": trainer.predict(test, metric_key_prefix="test").metrics} if len(test) else {}
    write_info(trainer, model_args, data_args, evaluate(trainer) | test_metrics)


if __name__ == "__main__":
    run_script(main)

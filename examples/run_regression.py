"""Fine-tune a pretrained BERT, or train one from random weights, to predict expression.

dream-bert prepare promoters.txt -o prepared
accelerate launch examples/run_regression.py --data prepared --model mlm --output_dir regression
"""

from dataclasses import dataclass, field

from scipy.stats import pearsonr, spearmanr
from torch import Tensor
from transformers import EvalPrediction

from dream_bert.arguments import ArgumentError, RunArguments, parse_arguments
from dream_bert.batches import IGNORED, RegressionBatches
from dream_bert.configuration_dna import DnaConfig
from dream_bert.data import DataError
from dream_bert.loading import REGRESSION_MODELS, load_regression
from dream_bert.modeling_dream_bert import BertForSequenceRegression
from dream_bert.modeling_dream_conv import DreamConvForSequenceRegression
from dream_bert.prediction import ModelError, model_name
from dream_bert.record import write_info
from dream_bert.teaching import TaughtBert, TaughtOutput
from dream_bert.training import PromoterTrainer, build_model, open_split, run_script, train

MEASURED_ROWS = 1024
"""To measure a teacher's features on."""


def metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Pearson, Spearman and the mean squared error in squared expression units."""
    predicted, measured = prediction.predictions.squeeze(-1), prediction.label_ids
    return {
        "pearson": float(pearsonr(predicted, measured).statistic),
        "spearman": float(spearmanr(predicted, measured).statistic),
        "mse": float(((predicted - measured) ** 2).mean()),
    }


def load_teacher(name: str, student: DnaConfig) -> DreamConvForSequenceRegression:
    """The convolutions of a folder or Hub id, for a BERT whose tokens are their places.

    Raises:
        ArgumentError: if the model is another, or the student cannot follow it.
    """
    try:
        teacher = load_regression(model_name(name))
    except ModelError as error:
        raise ArgumentError(f"--teacher cannot be loaded: {error}") from error
    if not isinstance(teacher, DreamConvForSequenceRegression):
        raise ArgumentError(f"--teacher is {name}; give convolutions, as --preset conv trains them")
    if student.model_type != "bert" or (student.stride, student.context) != (1, 0):
        raise ArgumentError("--teacher is for a BERT with stride 1 and context 0; start from one, or leave it out")
    return teacher


def taught(
    student: BertForSequenceRegression, teacher: DreamConvForSequenceRegression, rows: RegressionBatches
) -> TaughtBert:
    """The student with its teacher, whose features are measured on the first of the rows."""
    inputs = rows.__getitems__(range(min(len(rows), MEASURED_ROWS)))
    device = teacher.device
    return TaughtBert(
        student.to(device), teacher, {name: inputs[name].to(device) for name in ("input_ids", "attention_mask")}
    )


@dataclass
class FineTuningArguments(RunArguments):
    metric_for_best_model: str = "mse"
    greater_is_better: bool = False
    partial_rows: float = field(
        default=0.0, metadata={"help": "Share of training rows cut to a piece, or with bases read as N; 0 to 1."}
    )
    teacher: str | None = field(
        default=None, metadata={"help": "Convolutions whose features the BERT learns to tell, too: folder or Hub id."}
    )
    ridge_share: float = field(
        default=0.0, metadata={"help": "Share of ridge regression on 6-mers in what convolutions predict; 0 to 1."}
    )


def main(args: list[str] | None = None) -> None:
    model_args, data_args, run_args = parse_arguments(FineTuningArguments, args)
    if not 0 <= run_args.partial_rows <= 1:
        raise ArgumentError(f"--partial_rows is {run_args.partial_rows}; give a share of the rows, from 0 to 1")
    if not 0 <= run_args.ridge_share <= 1:
        raise ArgumentError(f"--ridge_share is {run_args.ridge_share}; give a share of the prediction, from 0 to 1")
    kind = REGRESSION_MODELS[model_args.config().model_type]
    if run_args.ridge_share and kind is not DreamConvForSequenceRegression:
        raise ArgumentError("--ridge_share is for convolutions; leave it out, or give --preset conv")
    teacher = None if run_args.teacher is None else load_teacher(run_args.teacher, model_args.config())
    has_head = kind.__name__ in (model_args.config().architectures or ())
    model = build_model(kind, model_args, run_args.seed)
    config = model.config

    def batches(split: str, **kwargs) -> RegressionBatches:
        rows = open_split(data_args.data, "regression", split, run_args)
        return RegressionBatches(rows, config, run_args.seed, **kwargs)

    training = batches("train", limit=data_args.max_train_rows, partial_rows=run_args.partial_rows)
    test = batches("test")
    if not has_head:
        manifest = training.rows.manifest
        if not manifest["label_std"] > 0:
            raise DataError(f"{data_args.data}: all training rows have one expression; prepare other data")
        model.set_label_statistics(manifest["label_mean"], manifest["label_std"])

    def loss(outputs, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
        """Squared error a row of the whole batch, over all its accumulation steps and processes."""
        error = ((outputs.logits.squeeze(-1).float() - labels) / config.label_std).square()
        if isinstance(outputs, TaughtOutput):
            error = error + outputs.hint_error
        error = error[labels != IGNORED]
        return error.sum() / (len(error) if num_items_in_batch is None else num_items_in_batch)

    trainer = PromoterTrainer(
        model if teacher is None else taught(model, teacher.to(run_args.device), training),
        run_args,
        train_dataset=training,
        eval_dataset=batches("validation"),
        data_collator=dict,  # a data set's items are batches already
        compute_loss_func=loss,
        compute_metrics=metrics,
    )
    train(trainer, run_args.ridge_share)
    test_metrics = trainer.predict(test, metric_key_prefix="test").metrics
    write_info(trainer, model_args, data_args, {"validation": trainer.evaluate(), "test": test_metrics})


if __name__ == "__main__":
    run_script(main)

"""Make the runs of `Trainer` independent of interruptions and of the number of processes."""

import json
import shutil
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Sampler
from transformers import EarlyStoppingCallback, PreTrainedModel, Trainer

from ..data.sampler import EpochSampler, follow_epochs
from ..errors import ArgumentError
from . import bf16_attention
from .arguments import RunArguments
from .distillation import TaughtModel
from .muon import MuonBeside, layer_matrices
from .preemption import ignore_sigterm
from .run_folder import claim, drop_old_checkpoints, mark_complete, write_errors_in_one_line


class PromoterTrainer(Trainer):
    """`Trainer` with an order of rows that is a pure function of seed and epoch, and with exact resumption.

    It locks its output folder, and marks complete checkpoints.

    Raises:
        RunFolderError: if the output folder cannot be written, or another run writes there.
        ArgumentError: if Muon or a teacher is used with a model that cannot have it, or with FSDP.
    """

    def __init__(self, model: PreTrainedModel | TaughtModel, args: RunArguments, **kwargs):
        self._lock = claim(Path(args.output_dir)) if args.process_index == 0 else None
        super().__init__(model, args, **kwargs)
        if self.trained.config.model_type == "bert":
            self.trained.set_attn_implementation(bf16_attention.NAME)
        if self.is_fsdp_enabled and (args.muon_rate is not None or isinstance(model, TaughtModel)):
            raise ArgumentError("--muon_rate and --teacher need whole weights in every process; leave FSDP out")

    @property
    def trained(self) -> PreTrainedModel:
        """Return the model to save: the student, if there is a teacher."""
        return self.model.student if isinstance(self.model, TaughtModel) else self.model

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        made_already = self.optimizer is not None
        optimizer = super().create_optimizer(model)
        if self.args.muon_rate is not None and not made_already:
            matrices = layer_matrices(self.model if model is None else model)
            if not matrices or not self.args.muon_rate > 0:
                raise ArgumentError(
                    f"--muon_rate is {self.args.muon_rate}; give it for a BERT, above 0, or leave it out"
                )
            self.optimizer = MuonBeside(matrices, self.args.muon_rate, self.args.weight_decay, optimizer)
        return self.optimizer

    def _get_train_sampler(self, train_dataset=None) -> Sampler:
        processes = self.args.world_size
        multiple = processes * self.args.train_batch_size if processes > 1 else 1
        return EpochSampler(len(train_dataset or self.train_dataset), self.args.seed, multiple)

    def _get_dataloader(self, *args, **kwargs) -> DataLoader:
        loader = super()._get_dataloader(*args, **kwargs)
        # Trainer's own function, which seeds workers, is not needed: a batch is a function of its rows. Accelerate's
        # loader wraps the one that starts the workers.
        getattr(loader, "base_dataloader", loader).worker_init_fn = ignore_sigterm
        return loader

    def get_train_dataloader(self) -> DataLoader:
        return follow_epochs(super().get_train_dataloader())

    def _save_checkpoint(self, model, trial) -> None:
        checkpoint = Path(self.args.output_dir, f"checkpoint-{self.state.global_step}")
        if self.args.should_save:
            shutil.rmtree(checkpoint, ignore_errors=True)  # an incomplete one of a killed run
        self.accelerator.wait_for_everyone()
        keep, self.args.save_total_limit = (
            self.args.save_total_limit,
            None,
        )  # delete old ones only after this one is complete
        try:
            with write_errors_in_one_line(checkpoint):
                super()._save_checkpoint(model, trial)
                self.accelerator.wait_for_everyone()
                if self.args.should_save:
                    mark_complete(checkpoint)
        except OSError:
            if self.args.should_save:
                shutil.rmtree(checkpoint, ignore_errors=True)
            raise
        finally:
            self.args.save_total_limit = keep
        if self.args.should_save:
            drop_old_checkpoints(checkpoint, keep, self.state.best_model_checkpoint)

    def _determine_best_metric(self, metrics, trial) -> bool:
        is_best = super()._determine_best_metric(metrics, trial)
        # Without a checkpoint at this evaluation, Trainer could not load the best model at the end.
        self.control.should_save |= is_best and self.args.load_best_model_at_end
        return is_best

    def _save_rng_state(self, output_dir: str) -> None:
        super()._save_rng_state(output_dir)
        # Save the loss summed since the last log entry; like the RNG state, it is per process.
        loss = {"sum": float(self._tr_loss), "since_step": self._globalstep_last_logged}
        Path(output_dir, f"loss_{self.args.process_index}.json").write_text(json.dumps(loss))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        super()._load_rng_state(checkpoint)
        path = Path(checkpoint or "", f"loss_{self.args.process_index}.json")
        if path.exists():
            loss = json.loads(path.read_text())
            self._tr_loss.fill_(loss["sum"])
            self._globalstep_last_logged = loss["since_step"]

    def _init_training_state(self, max_steps, steps_an_epoch, epochs, checkpoint, trial) -> tuple[int, int]:
        begin = super()._init_training_state(max_steps, steps_an_epoch, epochs, checkpoint, trial)
        best = Path(self.args.output_dir, f"checkpoint-{self.state.best_global_step}")
        if best.is_dir():  # the output folder may have been moved
            self.state.best_model_checkpoint = str(best)
        stopped_early = any(
            callback.early_stopping_patience_counter >= callback.early_stopping_patience
            for callback in self.callback_handler.callbacks
            if isinstance(callback, EarlyStoppingCallback)
        )
        # Otherwise Trainer would take one step more before it stops.
        return (epochs, 0) if stopped_early or self.state.global_step >= max_steps else begin

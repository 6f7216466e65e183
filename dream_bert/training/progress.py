"""Show the progress of a training in one bar."""

from tqdm import tqdm
from transformers import TrainerCallback


class Bar(TrainerCallback):
    """A bar of a training's steps, with the last validation metrics, in the first process and on a terminal only."""

    def __init__(self, description: str):
        self._description = description
        self._bar: tqdm | None = None

    def on_train_begin(self, args, state, control, **kwargs):
        disable = None if state.is_world_process_zero else True
        self._bar = tqdm(
            total=state.max_steps, initial=state.global_step, desc=self._description, unit=" steps", disable=disable
        )

    def on_step_end(self, args, state, control, **kwargs):
        self._bar.update(state.global_step - self._bar.n if not self._bar.disable else 0)

    def on_evaluate(self, args, state, control, metrics, **kwargs):
        if self._bar is not None:
            self._bar.set_postfix({"r": f"{metrics.get('eval_pearson', float('nan')):.3f}"})

    def on_train_end(self, args, state, control, **kwargs):
        self._bar.close()

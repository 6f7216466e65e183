"""Provide `pipeline("promoter-expression")`: transformers' pipeline with this package's checks and encoding."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset
from transformers import Pipeline
from transformers.pipelines import PIPELINE_REGISTRY

from ..errors import ModelError
from ..io.records import Record
from ..models.modeling_dream_bert import BertForSequenceRegression
from ..sequence.construct import SequenceError
from ..sequence.encoding import encode, longest_insert
from ..sequence.tokenizer import KmerTokenizer
from .loading import RegressionModel, load_regression
from .notes import InsertReader

TASK = "promoter-expression"


class PromoterExpressionPipeline(Pipeline):
    """Predicts the expression of promoters, with the checks, reading frames and numbers of `dream_bert.predict`.

    After `import dream_bert`, `pipeline("promoter-expression", model=...)` makes one.

    Args:
        model: as `load_regression` returns it; `pipeline` also takes a folder or Hub id.
        **kwargs: arguments of every pipeline: `device`, `batch_size`, …

    Raises:
        ModelError: if the model is of another kind.
    """

    # NumPy encodes the sequences, so nothing but the model is loaded from the folder.
    _load_tokenizer = _load_processor = _load_feature_extractor = _load_image_processor = False

    def __init__(self, model: RegressionModel, **kwargs: Any):
        if not isinstance(model, RegressionModel):
            raise ModelError(f"model is a {type(model).__name__}; give a folder, a Hub id or a model of this package")
        config = model.config
        # The base class refuses batches without a tokenizer.
        kwargs["tokenizer"] = KmerTokenizer.build(config.stride, config.context, config.max_position_embeddings)
        super().__init__(model.eval(), **kwargs)
        self._read_insert = InsertReader(longest_insert(config), config.insert_lengths)

    def __call__(
        self, sequences: str | dict | Iterable[str | dict], **kwargs: Any
    ) -> dict[str, float | str] | list[dict[str, float | str]] | Iterator[dict[str, float | str]]:
        """Predict expression.

        Args:
            sequences: an insert or oligo, a row with the key `sequence`, or any iterable of them, such as a data set.
            **kwargs: `batch_size`, sequences in a forward pass. Default: 1.

        Returns:
            `{"expression": float}`, in expression units, or the number of each of a model's several targets by its
            name; with a `note` if the sequence is unlike the training data or looks like an oligo in another form (see
            `dream_bert.predict`). A list of them for a list or tuple; for any other iterable an iterator, which reads
            no further than needed.

        Raises:
            SequenceError: if a sequence cannot be scored; the message quotes its beginning.
            ModelError: if the model predicts a value that is not finite.
        """
        if isinstance(sequences, str | dict):
            return super().__call__(sequences, **kwargs)
        results = super().__call__(_Stream(sequences), **kwargs)
        return list(results) if isinstance(sequences, list | tuple) else results

    def _sanitize_parameters(self, **kwargs: Any) -> tuple[dict, dict, dict]:
        if kwargs:
            raise TypeError(f"unknown arguments: {', '.join(kwargs)}")
        return {}, {}, {}

    def preprocess(self, sequence: str | dict) -> dict[str, str]:
        if isinstance(sequence, dict):
            sequence = sequence.get("sequence")
        if not isinstance(sequence, str):
            raise SequenceError(f"{sequence!r:.80} is no sequence; give strings, or rows with a key 'sequence'")
        name = sequence if len(sequence) <= 20 else f"{sequence[:20]}…"
        insert, note = self._read_insert(Record(name, sequence, None, ""))
        return {"inserts": insert, "note": note}

    def _forward(self, batch: dict[str, str | list[str]]) -> dict[str, Tensor | list[str]]:
        # Transformers passes the keys of a batch in any order.
        inserts, notes = ([batch[key]] if isinstance(batch[key], str) else batch[key] for key in ("inserts", "note"))
        arrays = encode(inserts, self.model.config)
        tensors = {name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()}
        return {"expression": self.model(**tensors).logits.float(), "note": notes}

    def postprocess(self, output: dict[str, Tensor | str | list[str]]) -> dict[str, float | str]:
        values = output["expression"].flatten().tolist()
        if not all(map(math.isfinite, values)):
            raise ModelError("the model predicts no finite number; check its weights")
        expression = dict(zip(self.model.config.targets, values, strict=True))
        note = "".join(output["note"])  # a list if batch_size is 1
        return expression | {"note": note} if note else expression


class _Stream(IterableDataset):
    """An iterable in the form that all versions of transformers read no further than needed."""

    def __init__(self, sequences: Iterable[str | dict]):
        self._sequences = sequences

    def __iter__(self) -> Iterator[str | dict]:
        return iter(self._sequences)


class _CompleteModel(BertForSequenceRegression):
    """Loads a model of the class that its `config.json` names, and refuses a folder that lacks weights."""

    @classmethod
    def from_pretrained(cls, name: str, **kwargs: Any) -> RegressionModel:
        return load_regression(name, **kwargs)


def register() -> None:
    """Register the task with transformers."""
    PIPELINE_REGISTRY.register_pipeline(TASK, PromoterExpressionPipeline, _CompleteModel, type="text")


register()

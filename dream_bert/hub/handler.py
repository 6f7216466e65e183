"""Answer the requests of an Inference Endpoint: sequences in, expression out.

This file is published beside the weights with `construct.py`, and needs torch and transformers alone. A request has at
most 1,024 sequences and 1,000,000 characters, and a sequence no more bases than the model has positions. The largest,
1,024 inserts of 126 bp, takes about 20 seconds of processor time.
"""

import re
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

try:
    from ..sequence.construct import check_insert, quoted, to_oligo
except ImportError:  # an endpoint loads this file by itself, with its folder on the path
    from construct import check_insert, quoted, to_oligo

MAX_SEQUENCES = 1024
"""Most sequences in a request."""

MAX_CHARACTERS = 1_000_000
"""Most characters of all sequences, or of FASTA text, in a request."""

BATCH_SIZE = 64
"""Sequences in a forward pass, unless a request says otherwise."""


class RequestError(ValueError):
    """A request that cannot be answered; the message says what to change."""


class EndpointHandler:
    """The class that Inference Endpoints call, as `EndpointHandler(folder)(request)`.

    Args:
        path: folder of the published model.
    """

    def __init__(self, path: str = ""):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModelForSequenceClassification.from_pretrained(path).to(self.device).eval()

    def __call__(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Predict the expression of every sequence of a request.

        Args:
            data: `inputs`, one sequence, a list of sequences, or FASTA text; optionally `parameters` with
                `batch_size`, sequences in a forward pass (1 to 1024, default 64).

        Returns:
            One `{"expression": float}` for each sequence, in expression units, with the `id` of each FASTA record. A
            model of several targets gives a number for the name of each.

        Raises:
            RequestError: if the request has another form, or more than 1024 sequences or 1,000,000 characters.
            SequenceError: if a sequence cannot be scored; the message gives its id, or its number from 0.
            ValueError: if the model predicts a value that is not finite.
        """
        ids, sequences = _read(data)
        batch_size = _batch_size(data.get("parameters") or {})
        names = [str(row) for row in range(len(sequences))] if ids is None else ids
        inserts = [check_insert(sequence, name) for sequence, name in zip(sequences, names, strict=True)]
        values = [
            value
            for start in range(0, len(inserts), batch_size)
            for value in self._predict(inserts[start : start + batch_size], names[start : start + batch_size])
        ]
        if ids is None:
            return values
        return [{"id": id} | value for id, value in zip(ids, values, strict=True)]

    @torch.inference_mode()
    def _predict(self, inserts: list[str], names: list[str]) -> list[dict[str, float]]:
        """Average the model's reading frames; N or NN before a sequence chooses the second or third."""
        longest = self.model.config.max_position_embeddings
        for insert, name in zip(inserts, names, strict=True):
            if len(insert) > 3 * longest:  # too long for any stride; tokenising it could take long
                raise _too_long(insert, name, longest)
        frames = getattr(self.model.config, "reading_frames", 1)
        labels = self.model.config.id2label
        values = torch.zeros(len(inserts), len(labels))
        for frame in range(frames):
            # Oligos: the tokenizer removes their constants once, so inserts that begin like one are kept whole.
            texts = ["N" * frame + to_oligo(insert) for insert in inserts]
            batch = self.tokenizer(texts, padding=True, return_tensors="pt")
            if too_long := [i for i, tokens in enumerate(batch["attention_mask"].sum(1)) if tokens > longest]:
                raise _too_long(inserts[too_long[0]], names[too_long[0]], longest)
            values += self.model(**batch.to(self.device)).logits.float().cpu() / frames
        for value, name in zip(values, names, strict=True):
            if not value.isfinite().all():
                raise ValueError(f"record {quoted(name)}: the model predicts no finite number; check its weights")
        targets = ["expression"] if len(labels) == 1 else [labels[number] for number in range(len(labels))]
        return [dict(zip(targets, of_sequence, strict=True)) for of_sequence in values.tolist()]


def _too_long(insert: str, name: str, longest: int) -> RequestError:
    what = f"the insert is {len(insert)} bp, more than the model's {longest} positions"
    return RequestError(f"record {quoted(name)}: {what}; score windows of it")


def _read(data: dict[str, Any]) -> tuple[list[str] | None, list[str]]:
    """Return the ids, if the request is FASTA, and the sequences of a request."""
    if not isinstance(data, dict):
        raise RequestError('the request is no object; send {"inputs": ...}')
    inputs = data.get("inputs")
    if isinstance(inputs, str):
        inputs = inputs.removeprefix("\ufeff")
    sequences = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(sequences, list) or not all(isinstance(sequence, str) for sequence in sequences):
        raise RequestError("inputs is not a string or a list of strings; give a sequence, sequences or FASTA text")
    if (characters := sum(map(len, sequences))) > MAX_CHARACTERS:
        raise RequestError(f"inputs has {characters} characters; send at most {MAX_CHARACTERS} in a request")
    ids = None
    if isinstance(inputs, str) and inputs.lstrip().startswith(">"):
        ids, sequences = _read_fasta(inputs)
    elif isinstance(inputs, str) and re.search(r"[\r\n]", inputs.strip()):
        raise RequestError("inputs has several lines and is no FASTA; give a list of sequences")
    if not 0 < len(sequences) <= MAX_SEQUENCES:
        raise RequestError(f"inputs has {len(sequences)} sequences; send 1 to {MAX_SEQUENCES} in a request")
    return ids, sequences


def _read_fasta(text: str) -> tuple[list[str], list[str]]:
    """Return ids, the first word of every header, and sequences; all three kinds of line ends are accepted."""
    ids, sequences = [], []
    for line in re.split("\r\n|\r|\n", text.strip()):
        line = line.strip()
        if line.startswith(">"):
            ids.append(next(iter(line[1:].split()), ""))
            sequences.append([])
        else:
            sequences[-1].append(line)
    return ids, ["".join(lines) for lines in sequences]


def _batch_size(parameters: dict[str, Any]) -> int:
    if not isinstance(parameters, dict) or not parameters.keys() <= {"batch_size"}:
        raise RequestError('parameters is not {"batch_size": ...}; batch_size is the only one')
    size = parameters.get("batch_size", BATCH_SIZE)
    if type(size) is not int or not 1 <= size <= MAX_SEQUENCES:
        raise RequestError(f"batch_size is {_shown(size)}; give 1 to {MAX_SEQUENCES}")
    return size


def _shown(value: Any) -> str:
    """Show a value of a request in an error, unless it is deeply nested or has many digits."""
    is_short = isinstance(value, str | float | None) or (isinstance(value, int) and abs(value) < 10**80)
    return f"{value!r:.80}" if is_short else f"of type {type(value).__name__}, or too large"

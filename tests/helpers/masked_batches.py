"""Layouts of tokens, and where batches of them have inserts and masked tokens."""

import numpy as np

from dream_bert.data.batches import IGNORED
from dream_bert.sequence.encoding import context_ids

LAYOUTS = [(1, 0), (1, 30), (3, 0), (3, 30)]
EPOCHS = 8


def clear_ids(arrays):
    """The ids as they were before masking, and where tokens are predicted."""
    predicted = arrays["labels"] != IGNORED
    return np.where(predicted, arrays["labels"], arrays["input_ids"]), predicted


def insert_columns(arrays, stride, context):
    """Per row, the columns of its insert's tokens."""
    before = 1 + len(context_ids(stride, context)[0])
    return [np.arange(before, length - before) for length in arrays["attention_mask"].sum(1)]

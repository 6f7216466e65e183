"""Sequences of which tables are made, and the message with which a table is refused."""

import pytest

from dream_bert.errors import ReadError

LONG, OTHER, THIRD = "ACGTTGCAAC" * 4, "TTGACCATGA" * 4, "GGCATTACGT" * 4


def refusal(read, text: str, **kwargs) -> str:
    """The one line with which `read` refuses a text."""
    with pytest.raises(ReadError) as error:
        read(text, **kwargs)
    message = str(error.value)
    assert message.isprintable() and "; " in message
    return message

"""The layouts of tokenizers, and the ways to get one of each."""

LAYOUTS = [(3, 150), (3, 0), (1, 150), (1, 0), (1, 2)]
"""Stride and context, in bp."""

WAYS = ["built", "loaded", "trusted", "saved again", "beside a config"]
"""The first by `KmerTokenizer.build`, the others from a folder."""


def ids_of(tokenizer, text: str) -> list[int]:
    return tokenizer(text)["input_ids"]

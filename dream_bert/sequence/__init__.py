"""From DNA to token ids: the construct, its orientation, and the tokenizer."""

"""Turn DNA into token ids: the construct, its orientation, and the tokenizer."""

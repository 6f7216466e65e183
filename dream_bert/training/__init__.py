"""Pretrain and fine-tune models; the scripts are `run_mlm` and `run_regression`."""

"""Training: pretraining and fine-tuning, and the scripts `run_mlm` and `run_regression`."""

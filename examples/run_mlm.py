"""Pretrain a BERT on promoters by masked language modelling; `dream_bert.training.run_mlm` as a script."""

from dream_bert.training.run import run_script
from dream_bert.training.run_mlm import main

if __name__ == "__main__":
    run_script(main)

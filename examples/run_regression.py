"""Fine-tune a model to predict expression; `dream_bert.training.run_regression` as a script."""

from dream_bert.training.run import run_script
from dream_bert.training.run_regression import main

if __name__ == "__main__":
    run_script(main)

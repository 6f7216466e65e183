"""Load models, predict with them, and write the predictions."""

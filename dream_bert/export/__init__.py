"""From a trained model to a folder for others: checkpoints and ONNX graphs."""

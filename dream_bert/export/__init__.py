"""Export a trained model to a folder for others: checkpoint, modelling code and ONNX files."""

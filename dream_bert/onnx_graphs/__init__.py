"""ONNX graphs of the models, written node by node; they need no torch."""

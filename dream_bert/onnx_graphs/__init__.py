"""Write the models' ONNX graphs node by node, without torch."""

"""Prediction: loading models, running them, and writing what they predict."""

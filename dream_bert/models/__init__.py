"""Configurations and models, which are published with the weights and import only each other."""

"""Define configurations and models. They are published with the weights, so they import only each other."""

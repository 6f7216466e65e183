"""What is published with the weights: configurations and models, which import only each other."""

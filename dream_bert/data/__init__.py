"""Training data: preparing, storing, sampling and simulating labelled promoters."""

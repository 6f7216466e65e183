"""Ask more of a model than predictions: single changes, variants, windows, designs, and one-hot inputs."""

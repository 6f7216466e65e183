"""Draw what predictions and analyses give."""

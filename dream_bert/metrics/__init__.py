"""Compute the DREAM score, of arrays and of files."""

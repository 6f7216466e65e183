"""Metrics: the DREAM score, and the scoring of files."""

"""Prepare, store, sample and simulate labelled promoters to train on."""

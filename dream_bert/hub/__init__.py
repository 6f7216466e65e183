"""Publish models on the Hugging Face Hub: repositories, cards, and the handler of an endpoint."""

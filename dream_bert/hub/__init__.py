"""Publishing on the Hugging Face Hub: repositories, model cards, the endpoint's handler."""

"""Read and write: sequences, tables, Parquet, predictions, and outputs that appear complete or not at all."""

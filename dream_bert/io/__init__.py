"""Reading and writing: sequences, tables, Parquet, predictions, and outputs that appear whole."""

"""Files made by people, text files, workbooks and Parquet, read as text; anything ambiguous is refused."""

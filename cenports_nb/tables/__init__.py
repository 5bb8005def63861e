"""Tables of people: text files, workbooks and Parquet, read as text with nothing misread in silence."""

"""Records in, validated pandas DataFrames out."""

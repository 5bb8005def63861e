"""Personal data: which columns have it, pseudonyms, and views without it."""

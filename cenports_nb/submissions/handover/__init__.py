"""Hand orders over to the warehouse in a file, then acknowledge them."""

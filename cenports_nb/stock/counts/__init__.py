"""Read count files made by people."""

"""Read count files of people."""

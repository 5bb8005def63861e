"""Text and HTML that the terminal and the notebook share; nothing here loads data."""

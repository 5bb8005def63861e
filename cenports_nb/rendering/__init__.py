"""Text and HTML that the terminal and the notebook share; nothing here asks for data."""

"""How frames look in Jupyter: the columns that matter, masked, with lines about their origin."""

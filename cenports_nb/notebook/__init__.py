"""Widgets, charts and report pages; the only package that imports ipywidgets, IPython and matplotlib."""

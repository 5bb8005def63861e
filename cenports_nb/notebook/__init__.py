"""What people look at; the only place that knows ipywidgets, IPython and matplotlib."""

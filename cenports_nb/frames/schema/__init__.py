"""Schemas of all frames: columns, dtypes, keys; and the validation of frames made by people."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["schemas"])

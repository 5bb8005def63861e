"""What each frame holds: columns, dtypes, keys; and how frames that people made are checked against it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["schemas"])

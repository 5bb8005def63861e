"""An update frame before it is sent: looked at, ticked, tried, sent."""

"""Pure functions over frames: compare, count, plan. Nothing here knows a client or a display."""

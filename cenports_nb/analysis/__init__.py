"""Analyses of frames: pure functions, each with its formula."""

"""Questions that people ask of frames first; pure functions, each with its formula."""

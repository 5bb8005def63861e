"""Charts: a frame or a submission in, matplotlib Axes out; readable in grayscale and for color-blind people."""

"""Charts: a frame or a submission in, matplotlib Axes out. Readable in grey print and for the colour-blind."""

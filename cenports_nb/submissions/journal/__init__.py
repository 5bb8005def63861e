"""What was submitted, kept: every change before it leaves and every word about it after."""

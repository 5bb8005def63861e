"""Every record of an end point, over windows and pages, or a verdict on what is missing."""

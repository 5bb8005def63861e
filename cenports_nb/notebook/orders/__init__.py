"""Orders to look at: which lines and shipments belong to which, what is shown of them."""

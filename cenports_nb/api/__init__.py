"""Everything that touches the network; nothing here knows pandas."""

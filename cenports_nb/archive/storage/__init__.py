"""Where an archive is stored, and how its tables are read and changed there."""

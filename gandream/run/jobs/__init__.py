"""The queue of renders: what is asked, what became of it, and who is at it, in one SQLite file."""

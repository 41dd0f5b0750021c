"""Many renders: what a batch is made of, checking all of it first, and the processes that render it."""

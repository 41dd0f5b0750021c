"""Batches at their times: cron texts, time zones, what is kept of them, the process that starts them."""

"""What can be wrong with a schedule."""

from gandream.base.errors import GandreamError


class ScheduleError(GandreamError):
    """A time, a zone or a batch that can't be scheduled."""

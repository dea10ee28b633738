"""An event loop whose time jumps: an hour of sleeping takes no time, however many sleep side by side."""

import asyncio
import selectors


class JumpingSelector(selectors.DefaultSelector):
    """A selector that never waits: it moves the clock on by the time it was asked to wait."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0.0
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on which time moves only when all wait, and then to the earliest that wakes up."""

    def __init__(self):
        self.clock = JumpingSelector()
        super().__init__(self.clock)

    def time(self):
        return self.clock.now

    def run_in_executor(self, executor, func, *args):
        """Do a thread's work at once: time would jump on while a real one is at it."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever waits for the thread gets it
            future.set_exception(error)
        return future

"""The error for what a person asks of an order that cannot be done."""


class Refused(Exception):
    """What was asked is not possible now; nothing was changed. The message is for the one who asked."""

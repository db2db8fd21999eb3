"""What goes wrong with people's own data."""


class DataError(ValueError):
    """Data that cannot be used; its message is one plain sentence: what is wrong, and what would be right."""

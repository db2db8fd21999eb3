"""What the page ``gumbel`` is put together from."""

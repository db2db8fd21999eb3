"""What the page ``precision_recall`` is put together from."""

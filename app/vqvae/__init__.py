"""What the page ``vqvae`` is put together from."""

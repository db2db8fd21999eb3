"""What the page ``vqvae2`` is put together from."""

"""Continuous normalizing flows: fields, flows, their training, films of p_t, and what can be checked about them."""

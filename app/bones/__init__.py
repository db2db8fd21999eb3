"""The bones that every page has, as functions; `app.furniture` gathers them."""

"""Deep generative models, live: data, models, training, metrics and runs, with no user interface."""

"""The page neural_ode, part by part."""

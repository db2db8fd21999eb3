"""What is learned: densities in the plane, and the readers of people's own points and pictures."""

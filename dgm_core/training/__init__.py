"""What trainings of every topic share."""

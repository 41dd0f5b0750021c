"""Training: pictures in, a model of one of the families out."""

"""Paths that need no list of latents, each a function of its phase alone: one module for each kind."""

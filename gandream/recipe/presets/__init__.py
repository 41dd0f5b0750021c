"""The looks that artists know by name: a file for each, from its parameters to ordinary words of a recipe."""

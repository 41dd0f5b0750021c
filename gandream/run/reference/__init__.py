"""The written reference, made from the declarations in ``gandream/recipe``: in the terminal, and as pages."""

"""The JSON Schema of the recipe language, made from the declarations in ``recipe``: for editors, forms and checks."""

from gandream.recipe.schema.writer import SCHEMA_NAME, recipe_schema

__all__ = ["SCHEMA_NAME", "recipe_schema"]

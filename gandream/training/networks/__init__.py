"""Networks that learn: a generator and a discriminator for each family."""

"""Dreams: an endless, seeded stream of abstract pictures to learn from, in ten classes."""

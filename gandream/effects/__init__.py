"""Picture effects: what the words of ``effects`` mean, as functions of pictures and moments. Useful alone."""

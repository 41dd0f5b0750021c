"""The music: decoded, measured, and turned into signals on the frame clock."""

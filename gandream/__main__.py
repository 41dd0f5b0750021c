"""``python -m gandream``."""

from gandream.cli.main import main

main()

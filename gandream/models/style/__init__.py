"""What all style-based generators share: the mapping network, w and its truncation, and their layers in files.

- ``activation.py``: activations by name;
- ``reader.py``: shapes and attributes of a network's layers, checked as they are asked for;
- ``mapping.py``: from z and classes to w;
- ``generator.py``: what a ``Generator`` with a w is before its synthesis; ``from_constant.py``: with one;
- ``extend.py``: pictures wider or taller than the native ones.
"""

"""Models that a person added by name: fetched when asked for, kept per user, checked at every use. Loads no torch.

A render never fetches anything; it says which command would.

- ``known.py``: public models with their addresses, sizes and licences, as data;
- ``sources.py``: the ways in which a person says where a model is;
- ``download.py``: one file over http(s), resumable; ``fetch.py``: the files of any source;
- ``shelf.py``: where added models are kept, found and removed.
"""

from gandream.models.catalogue.known import KNOWN, Entry
from gandream.models.catalogue.shelf import Added, add, added, find, how_to_get, remove, shelf
from gandream.models.catalogue.sources import remote

__all__ = ["KNOWN", "Added", "Entry", "add", "added", "find", "how_to_get", "remote", "remove", "shelf"]

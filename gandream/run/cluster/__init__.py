"""Segments rendered by the workers of a Ray cluster, for films that are too much for one machine.

Ray is imported when it is asked for, and not before.

- ``where.py``: what ``--on`` and ``--store`` say, and this package's error;
- ``cluster.py``: a cluster for one command;
- ``session.py``: connecting to a cluster, or starting one here; ``hello.py``: whether one answers, and wants a token;
  ``facts.py``: what must be the same on all of its nodes;
- ``parcel.py``: what workers need of a film, sent once to each node; ``cargo.py``: its files there, by content;
- ``worker.py``: the process that holds the models and renders; ``sinks.py``: how it keeps what it made;
- ``desk.py``: who renders what, again where one was lost or is slow: plain bookkeeping without Ray;
- ``crew.py``: the workers as the driver knows them; ``fill.py``: the driver, which has all of it done;
- ``intake.py``: what it publishes, ``remote.py``: from a store of fsspec too.
"""

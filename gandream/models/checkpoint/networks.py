"""From what a file holds to networks: tensors by dotted name, with the plain attributes of each module."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from gandream.models.checkpoint import tensorflow
from gandream.models.checkpoint.records import (
    MAX_NAME,
    MAX_TENSORS,
    DamagedError,
    Record,
    RefusedError,
    StoredTensor,
)
from gandream.models.checkpoint.vocabulary import NumpyArray, is_function

MAX_DEPTH = 40
MAX_VALUES = 256
"""Of a list or table that counts as an attribute."""
MAX_WRAPPERS = 4
"""First parts of names that are taken away, one after the other."""
MAX_VISITS = 500_000
MAX_NETWORKS = 4096
"""Groups of tensors in a file; the state of an optimizer has one for each parameter."""
_INTERNAL = ("_parameters", "_buffers", "_modules", "training")
_FOREIGN: Any = object()
"""Stands for what is not plain."""
RANKS = (
    r"g_?ema|gs|avgg|net_?g_?ema|generator_?ema|ema.*|.*_ema|g_running|generator_smooth",
    r"net_?g.*|generator.*|gen|g.*",
    r".*state_?dict|model.*|params.*|weights.*|module|network|",
)
"""Names under which files keep their generators, the best first: averages before what was trained last."""
NOBODY_WANTS = re.compile(
    r"d|d_.*|net_?d.*|disc.*|augment.*|ada_.*|.*optim.*|training_set.*|progress|args|config", re.I
)
"""Parts of a file in which foreign objects are no reason to refuse it."""
WRAPPERS = re.compile(r"module|_orig_mod|net_?g|generator|gen|g|g_ema|model|network|state_dict|params", re.I)
"""First parts of names that only say where the network sat."""


@dataclass(frozen=True, eq=False)
class Network:
    """Some tensors with their names, as they were found together in a file."""

    where: str
    """Dotted place in the file, such as ``G_ema`` or ``netG_state_dict``; empty for the whole file."""
    tensors: dict[str, StoredTensor]
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Plain attributes by dotted name of the module; the network's own are under the empty name.

    Those of a ``config`` that lay beside a table of tensors are there under that name.
    """
    class_name: str = ""
    layout: str = ""
    """Whose way of writing the family's tensors it was translated from; empty for the family's own."""
    beside: dict[str, StoredTensor] = field(default_factory=dict)
    """Single tensors that lay beside the table of tensors in its file, such as a ``latent_avg``."""

    def arrays(self, names: Iterable[str], limit: int) -> dict[str, np.ndarray]:
        """Read tensors as float32 (whole numbers stay); ``limit`` bytes at most, since tensors may share storages."""
        found: dict[str, np.ndarray] = {}
        for name in names:
            tensor = self.tensors[name]
            limit -= tensor.count * 4
            if limit < 0:
                raise RefusedError("to become far bigger than it is")
            array = tensor.array()
            with np.errstate(over="ignore"):  # What is too large becomes infinite; ``values.py`` tells of that.
                found[name] = array.astype(np.float32) if array.dtype.kind == "f" else array
        return found

    @property
    def rank(self) -> int:
        """How likely it is the generator that is wanted, by its place: 0 is best."""
        last = self.where.split(".")[-1]
        for rank, pattern in enumerate(RANKS):
            if re.fullmatch(pattern, last, re.I):
                return rank
        return len(RANKS)


def find_networks(root: Any) -> tuple[Network, ...]:
    """Every group of tensors in a file's contents, the likeliest generator first."""
    _refuse_foreign_calls(root)
    found = list(islice(_Finder().walk(root, "", 0), MAX_NETWORKS + 1))
    if len(found) > MAX_NETWORKS:
        raise RefusedError(f"more than {MAX_NETWORKS} networks")
    found += [part for network in found for part in _unwrapped(network)]
    if (count := sum(len(network.tensors) for network in found)) > 2 * MAX_TENSORS:
        raise RefusedError(f"{count} tensors")
    return tuple(sorted(found, key=lambda network: network.rank))


class _Finder:
    """One search through a file's contents, whose effort is bounded: things may contain each other many times over."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.left = MAX_VISITS

    def spend(self, count: int) -> None:
        """Count visits."""
        self.left -= count
        if self.left < 0:
            raise DamagedError("it is nested too deeply")

    def walk(
        self,
        node: Any,
        where: str,
        depth: int,
        config: dict[str, Any] | None = None,
        beside: dict[str, StoredTensor] | None = None,
    ) -> Iterator[Network]:
        """The networks in a part of the contents, with the ``config`` and the tensors that lie beside it."""
        if depth > MAX_DEPTH or len(where) > MAX_NAME:
            raise DamagedError("it is nested too deeply")
        if not isinstance(node, dict | list | tuple | Record) or id(node) in self.seen:
            return
        self.seen.add(id(node))
        if isinstance(node, Record):
            if _is_module(node.state):
                network = Network(where, {}, {}, node.made_by.name)
                self.module(node.state, "", network, 0)
                yield network
            elif (state := tensorflow.state_of(node)) is not None:
                yield self.variables(state, where)
            else:
                yield from self.walk(node.state, where, depth + 1)
            return
        self.spend(len(node))
        pairs = [(str(key), value) for key, value in node.items()] if isinstance(node, dict) else _named(node)
        tensors = {key: tensor for key, value in pairs if (tensor := _tensor(value)) is not None}
        if tensors and (isinstance(node, dict) or len(tensors) == len(pairs)):
            plain = {key: value for key, value in pairs if key not in tensors}
            own = {"config": config} if config else {}
            yield Network(where, tensors, {"": own | self.attributes(plain)}, beside=beside or {})
        config = self.config(node) if isinstance(node, dict) else None
        for key, value in pairs:
            yield from self.walk(value, f"{where}.{key}" if where else key, depth + 1, config, tensors)

    def variables(self, state: dict[Any, Any], where: str) -> Network:
        """A network of TensorFlow days: names are as in ``synthesis/4x4/Const/const``, attributes its arguments."""
        network = Network(tensorflow.place(state, where), {}, {}, tensorflow.function(state))
        for part, found in tensorflow.parts(state):
            self.spend(1 + len(found["variables"]))
            for name, tensor in tensorflow.variables(found):
                network.tensors[f"{part}/{name}" if part else name] = tensor
            given = found.get("static_kwargs")
            own = self.attributes(given) if isinstance(given, dict) else {}
            network.attributes[part] = own | {"func_name": tensorflow.function(found)}
        return network

    def config(self, node: dict[Any, Any]) -> dict[str, Any] | None:
        """The plain attributes of what a table holds as ``config``: a table, or an object of any class."""
        held = node.get("config")
        held = held.state if isinstance(held, Record) else held
        return self.attributes(held) if isinstance(held, dict) else None

    def module(self, state: dict[Any, Any], prefix: str, into: Network, depth: int) -> None:
        """Gather a module's tensors and attributes, then those of the modules in it."""
        if depth > MAX_DEPTH or len(prefix) > MAX_NAME:
            raise DamagedError("its modules are nested too deeply")
        for kind in ("_parameters", "_buffers"):
            held = state.get(kind) or {}
            self.spend(1 + len(held))
            for key, value in held.items():
                if (tensor := _tensor(value)) is not None:
                    into.tensors[f"{prefix}{key}"] = tensor
        into.attributes[prefix[:-1]] = self.attributes(state)
        children = state.get("_modules")
        for key, child in (children if isinstance(children, dict) else {}).items():
            self.spend(1)
            if isinstance(child, Record) and _is_module(child.state):
                self.module(child.state, f"{prefix}{key}.", into, depth + 1)

    def attributes(self, state: dict[Any, Any]) -> dict[str, Any]:
        """What is plain among the things an object holds: numbers, words, small lists and tables of them."""
        self.spend(len(state))
        kept = {}
        for key, value in state.items():
            if isinstance(key, str) and key not in _INTERNAL and "_hooks" not in key:
                plain = self.plain(value, 0)
                if plain is not _FOREIGN:
                    kept[key] = plain
        return kept

    def plain(self, value: Any, depth: int) -> Any:
        """A plain copy of a value, or _FOREIGN."""
        self.spend(1)
        if isinstance(value, bool | int | float | str | None):
            return value
        if isinstance(value, NumpyArray):
            small = value.tensor is not None and value.tensor.count <= MAX_VALUES
            return value.tensor.array().tolist() if small and value.tensor is not None else _FOREIGN
        if depth > 4 or not isinstance(value, dict | list | tuple) or len(value) > MAX_VALUES:
            return _FOREIGN
        parts = [self.plain(part, depth + 1) for part in (value.values() if isinstance(value, dict) else value)]
        if any(part is _FOREIGN for part in parts):
            return _FOREIGN
        return {str(key): part for key, part in zip(value, parts, strict=True)} if isinstance(value, dict) else parts


def _named(node: list[Any] | tuple[Any, ...]) -> list[tuple[str, Any]]:
    """Items with their names: the networks of TensorFlow's (G, D, Gs), a list of (name, value), or numbers."""
    if tensorflow.is_triple(node):
        return list(zip(tensorflow.TRIPLE, node, strict=True))
    if node and all(isinstance(item, tuple) and len(item) == 2 and tensorflow.is_name(item[0]) for item in node):
        return [(item[0], item[1]) for item in node]
    return [(str(index), value) for index, value in enumerate(node)]


def _is_module(state: Any) -> bool:
    return isinstance(state, dict) and isinstance(state.get("_parameters"), dict) and "_modules" in state


def _unwrapped(network: Network, depth: int = 0) -> Iterator[Network]:
    """The parts of a network whose names all begin with a word that only says where it sat: ``module.``, ``netG.``."""
    if any(network.attributes.get(name) for name in network.attributes if name):
        return  # A module from a pickle: its names are its own.
    if depth > MAX_WRAPPERS:
        return
    groups: dict[str, dict[str, StoredTensor]] = {}
    for name, tensor in network.tensors.items():
        head, dot, rest = name.partition(".")
        if dot and WRAPPERS.fullmatch(head):
            groups.setdefault(head, {})[rest] = tensor
    for head, tensors in groups.items():
        where = network.where if head in ("module", "_orig_mod") else f"{network.where}.{head}".strip(".")
        inner = replace(network, where=where, tensors=tensors)
        yield inner
        yield from _unwrapped(inner, depth + 1)


def _tensor(value: Any) -> StoredTensor | None:
    if isinstance(value, NumpyArray):
        return value.tensor
    return value if isinstance(value, StoredTensor) else None


def _refuse_foreign_calls(root: Any) -> None:
    """Refuse a file that has a foreign function called in a part that someone may want."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict | list | tuple | Record) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Record):
            if node.called and is_function(node.made_by):
                raise RefusedError(f"to call {node.made_by}")
            waiting += [node.arguments, node.state, node.items]
        elif isinstance(node, dict):
            waiting += [value for key, value in node.items() if not NOBODY_WANTS.fullmatch(str(key))]
        else:
            waiting += node

"""What a render will want later and can be made beside its pictures: torch in memory, and the films' sound."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gandream.run.outputs import FilmOutput, PictureOutput


def load_torch() -> None:
    """Begin to load torch, which takes a second; whoever imports it meanwhile waits for that.

    The thread is no daemon: a process that ends while libraries are being set up may crash on its way out.
    """

    def load() -> None:
        with contextlib.suppress(ImportError, OSError):  # whoever wants it is told
            importlib.import_module("torch")

    threading.Thread(target=load, name="gandream-torch").start()


@contextmanager
def sounds_of(
    outputs: Sequence[FilmOutput | PictureOutput],
) -> Iterator[Callable[[FilmOutput | PictureOutput], Path | None]]:
    """Begin to encode the sound of films; gives what waits for that of one, which is there until all are left."""
    with ThreadPoolExecutor(1, "gandream-sound") as pool, ExitStack() as until_left:
        coming = {output.target: pool.submit(until_left.enter_context, output.sound()) for output in outputs}
        try:
            yield lambda output: coming[output.target].result()
        finally:
            pool.shutdown(cancel_futures=True)

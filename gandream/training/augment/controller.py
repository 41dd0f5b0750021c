"""How much augmentation there should be: as much as keeps the discriminator from knowing the pictures by heart."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Controller:
    """Find the probability p of the transformations while training (Karras et al. 2020b, arXiv 2006.06676, section 3).

    As the discriminator overfits, it takes the pictures of the data set for real ones more and more surely, and
    r = E[sign(D(real))] (equation 1, r_t) goes from about 0 to 1. p goes up where r lies above the target, and down
    where it lies below, always by the same amount for the pictures shown since.

    Call ``observe`` with the logits of each batch of augmented real pictures, and ``update`` after each or after some.
    """

    target: float = 0.6
    """Of r; the paper's."""
    images_to_full: int = 500_000
    """Real pictures within which p can go from 0 to 1."""
    interval: int = 4
    """Observed batches from one change of p to the next."""
    highest: float = 0.8
    """p never goes above it. Transformations leak into generated pictures from about 0.8 on (section 2.2)."""
    p: float = 0.0
    r: float = 0.0
    """What was measured at the last change: -1..1."""
    _signs: Tensor | float = field(default=0.0, repr=False)
    _logits: int = field(default=0, repr=False)
    _batches: int = field(default=0, repr=False)
    _images: int = field(default=0, repr=False)

    def observe(self, real_logits: Tensor) -> None:
        """Take note of logits of real pictures, any shape; nothing waits for a device here."""
        self._signs = self._signs + real_logits.detach().sign().sum()
        self._logits += real_logits.numel()
        self._batches += 1

    def update(self, images: int) -> None:
        """Say that so many more real pictures were shown; p changes when ``interval`` batches have been observed."""
        self._images += images
        if self._batches < self.interval or not self._logits:
            return
        self.r = float(self._signs) / self._logits
        direction = (self.r > self.target) - (self.r < self.target)
        self.p = min(max(self.p + direction * self._images / self.images_to_full, 0.0), self.highest)
        self._signs, self._logits, self._batches, self._images = 0.0, 0, 0, 0

    def state(self) -> dict[str, float]:
        """All that a resumed run needs to go on as if it had never stopped."""
        return {
            "p": self.p,
            "r": self.r,
            "signs": float(self._signs),
            "logits": self._logits,
            "batches": self._batches,
            "images": self._images,
        }

    def restore(self, state: dict[str, float]) -> None:
        """Go on from a ``state``; what it says nothing of besides p starts anew.

        Raises:
            KeyError: there is no p in it.
        """
        self.p, self.r, self._signs = float(state["p"]), float(state.get("r", 0)), float(state.get("signs", 0))
        self._logits, self._batches, self._images = (
            int(state.get(name, 0)) for name in ("logits", "batches", "images")
        )

"""The class embedding of a StyleGAN-XL: its table and its projection as one layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gandream.models.stylegan3.plan import Plan
from gandream.models.stylegan_xl.plan import PROJECTION, TABLE


def folded(tensors: Mapping[str, np.ndarray], plan: Plan) -> dict[str, np.ndarray]:
    """The tensors with the weight of the projection [Z, E] applied to the rows of the classes: [Z, C].

    Nothing but a sum is between the two, so mixtures of classes are the same: weights on rows of the table.
    """
    if plan.mapping.embed is None:
        return dict(tensors)
    table = tensors[TABLE][: plan.mapping.classes].astype(np.float64)
    weight = tensors[f"{PROJECTION}.weight"].astype(np.float64) @ table.T
    return {**tensors, f"{PROJECTION}.weight": weight.astype(np.float32)}

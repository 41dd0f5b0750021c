"""Which number type activations are trained in."""

from __future__ import annotations

import torch


def chosen(word: str, device: torch.device) -> str:
    """``float32`` or ``bfloat16``: as asked, and for ``auto`` bfloat16 where the hardware multiplies it natively."""
    if word != "auto":
        return word
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # not in the oldest torch that is supported
    return "bfloat16" if native is not None and native() else "float32"

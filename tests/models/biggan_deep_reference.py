"""BigGAN-deep, slowly: networks of random numbers, files of them, and pictures in float64."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import torch.nn.functional as F

BLOCKS = [[False, 2, 2], [True, 2, 2], [False, 2, 2], [True, 2, 1]]
CONFIG = {"layers": BLOCKS, "channel_width": 8, "output_dim": 16, "eps": 1e-3, "n_stats": 6}
LATENT, EMBED, CLASSES, WIDTH, ROWS = 5, 3, 4, 8, 6


def state(seed: int = 0, attention: int | None = 2, blocks=BLOCKS) -> dict[str, torch.Tensor]:
    """A network of random numbers."""
    random = torch.Generator().manual_seed(seed)
    made: dict[str, torch.Tensor] = {"embeddings.weight": torch.randn(EMBED, CLASSES, generator=random)}

    def put(key, *shape, bias=False):
        held = torch.randn(shape, generator=random)
        u, _, v = torch.linalg.svd(held.flatten(1), full_matrices=False)
        for part, tensor in (("orig", held), ("u", u[:, 0]), ("v", v[0])):
            made[f"{key}.weight_{part}"] = tensor.clone()
        if bias:
            made[f"{key}.bias"] = torch.randn(shape[0], generator=random)

    def norm(key, channels):
        made[f"{key}.running_means"] = torch.randn(ROWS, channels, generator=random)
        made[f"{key}.running_vars"] = torch.rand(ROWS, channels, generator=random) + 0.5

    put("generator.gen_z", blocks[0][1] * WIDTH * 16, LATENT + EMBED, bias=True)
    index = 0
    for number, (_, inputs, outputs) in enumerate(blocks):
        inputs, outputs = inputs * WIDTH, outputs * WIDTH
        if number == attention:
            key = f"generator.layers.{index}"
            made[f"{key}.gamma"] = torch.tensor([0.7])
            for part, a, b in (("theta", 2, inputs), ("phi", 2, inputs), ("g", inputs // 2, inputs),
                               ("o_conv", inputs, inputs // 2)):  # fmt: skip
                put(f"{key}.snconv1x1_{part}", a, b, 1, 1)
            index += 1
        sizes = [(inputs, inputs // 4, 1), *[(inputs // 4, inputs // 4, 3)] * 2, (inputs // 4, outputs, 1)]
        for part, (a, b, kernel) in enumerate(sizes):
            key = f"generator.layers.{index}"
            norm(f"{key}.bn_{part}", a)
            put(f"{key}.bn_{part}.scale", a, LATENT + EMBED)
            put(f"{key}.bn_{part}.offset", a, LATENT + EMBED)
            put(f"{key}.conv_{part}", b, a, kernel, kernel, bias=True)
        index += 1
    last = blocks[-1][2] * WIDTH
    norm("generator.bn", last)
    made["generator.bn.weight"] = torch.rand(last, generator=random) + 0.5
    made["generator.bn.bias"] = torch.randn(last, generator=random)
    put("generator.conv_to_rgb", last, last, 3, 3, bias=True)
    return made


def plain(held, z, embedded, rows, eps=1e-3, blocks=BLOCKS):
    """The network as figure 16 of the paper has it, in float64 and in no hurry; ``rows`` are weights of statistics."""
    held = {name: tensor.double() for name, tensor in held.items()}
    condition = torch.cat((z.double(), embedded.double()), 1)

    def weight(key):
        w, u, v = (held[f"{key}.weight_{part}"] for part in ("orig", "u", "v"))
        return w / (u @ w.flatten(1) @ v)

    def norm(x, key):
        chosen, shares = list(rows), torch.tensor(list(rows.values())).double()
        mean, variance = (
            (shares @ held[f"{key}.running_{part}"][chosen]).view(1, -1, 1, 1) for part in ("means", "vars")
        )
        return (x - mean) / (variance + eps).sqrt()

    def conv(x, key):
        w = weight(key)
        return F.conv2d(x, w, held.get(f"{key}.bias"), padding=w.shape[-1] // 2)

    x = F.linear(condition, weight("generator.gen_z"), held["generator.gen_z.bias"]).view(len(z), 4, 4, -1)
    x = x.permute(0, 3, 1, 2)
    number = 0
    for index in range(len(blocks) + any(name.endswith("gamma") for name in held)):
        key = f"generator.layers.{index}"
        if f"{key}.gamma" in held:
            theta = conv(x, f"{key}.snconv1x1_theta").flatten(2)
            phi, g = (F.max_pool2d(conv(x, f"{key}.snconv1x1_{part}"), 2).flatten(2) for part in ("phi", "g"))
            found = torch.einsum("ncq,nqk->nck", g, (theta.transpose(1, 2) @ phi).softmax(-1).transpose(1, 2))
            x = x + held[f"{key}.gamma"] * conv(found.view(*found.shape[:2], *x.shape[2:]), f"{key}.snconv1x1_o_conv")
            continue
        up, _, outputs = blocks[number]
        number, h = number + 1, x
        for part in range(4):
            scale, offset = (condition @ weight(f"{key}.bn_{part}.{kind}").T for kind in ("scale", "offset"))
            h = (norm(h, f"{key}.bn_{part}") * (1 + scale[:, :, None, None]) + offset[:, :, None, None]).relu()
            h = F.interpolate(h, scale_factor=2) if up and part == 1 else h
            h = conv(h, f"{key}.conv_{part}")
        x = x[:, : outputs * WIDTH]
        x = h + (F.interpolate(x, scale_factor=2) if up else x)
    x = norm(x, "generator.bn") * held["generator.bn.weight"].view(-1, 1, 1) + held["generator.bn.bias"].view(-1, 1, 1)
    return conv(x.relu(), "generator.conv_to_rgb")[:, :3].tanh()


def written(folder: Path, held=None, config: dict | str | None = CONFIG) -> str:
    """A file of the published layout."""
    torch.save(held or state(), folder / "pytorch_model.bin")
    if config is not None:
        (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return str(folder / "pytorch_model.bin")

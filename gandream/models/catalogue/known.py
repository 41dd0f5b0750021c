"""Public models that are known by name: data alone, looked up only when the user asks for it.

An address is listed only where it was published; ``seen`` says where. Sums and sizes are None where nobody publishes
them: the sum of what came is recorded when a model is fetched, and checked from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """A model that can be fetched, and what must be known about its licence."""

    source: str
    sha256: str | None
    about: str
    licence: str
    family: str = ""
    megabytes: int | None = None
    """Of 10^6 bytes, rounded."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Files that belong beside it: their names, and their sources."""
    seen: str = ""
    """Where its address was published."""
    tried: bool = False
    """Whether it was ever fetched and rendered with gandream."""


def _table(
    family: str, folder: str, licence: str, seen: str, *rows: tuple[str, str, str, int | None, str | None]
) -> dict[str, Entry]:
    """Entries of one publisher, by rows of (name, what it shows, file, size, sum)."""
    return {
        name: Entry(f"{folder}{file}", sha256, about, licence, family, size, seen=seen)
        for name, about, file, size, sha256 in rows
    }


def _biggan_deep(size: int, megabytes: int) -> Entry:
    folder = f"https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-{size}-"
    licence = "code MIT (Hugging Face), weights converted from DeepMind's; trained on ImageNet: for research"
    return Entry(
        f"{folder}pytorch_model.bin",
        None,
        f"the 1000 classes of ImageNet, {size}x{size}",
        licence,
        "biggan_deep",
        megabytes,
        {"config.json": f"{folder}config.json"},
        "github.com/huggingface/pytorch-pretrained-BigGAN, model.py and README",
    )


_NVIDIA = "Nvidia Source Code License: not for commercial use"

KNOWN: dict[str, Entry] = {
    "faces64": Entry(
        "pypi:gan-face-generate==1.1.1#gan_face_generate/weights.tar",
        "0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f",
        "faces, 64x64",
        "Its code is MIT (Chien Liu), but it was trained on DigiFace-1M, which is for non-commercial research only.",
        "dcgan",
        seen="pypi.org/project/gan-face-generate",
        tried=True,
    ),
    **_table(
        *("stylegan2", "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/", _NVIDIA),
        "github.com/NVlabs/stylegan2-ada-pytorch, README",
        ("stylegan2-ffhq", "faces, 1024x1024", "ffhq.pkl", None, None),
        ("stylegan2-metfaces", "painted and sculpted faces, 1024x1024", "metfaces.pkl", None, None),
        ("stylegan2-afhqcat", "cats, 512x512", "afhqcat.pkl", None, None),
        ("stylegan2-afhqdog", "dogs, 512x512", "afhqdog.pkl", None, None),
        ("stylegan2-afhqwild", "wild animals, 512x512", "afhqwild.pkl", None, None),
        ("stylegan2-brecahad", "tissue under the microscope, 512x512", "brecahad.pkl", None, None),
        ("stylegan2-cifar10", "ten classes of small pictures, 32x32", "cifar10.pkl", None, None),
    ),
    **_table(
        *("stylegan2", "http://d36zk2xti64re0.cloudfront.net/stylegan2/networks/", _NVIDIA),
        "github.com/NVlabs/stylegan2, pretrained_networks.py; sizes: huggingface.co/DragGan/DragGan-Models",
        ("stylegan2-car", "cars, 512x384 (TensorFlow)", "stylegan2-car-config-f.pkl", 364, None),
        ("stylegan2-cat", "cats, 256x256 (TensorFlow)", "stylegan2-cat-config-f.pkl", 357, None),
        ("stylegan2-church", "churches, 256x256 (TensorFlow)", "stylegan2-church-config-f.pkl", None, None),
        ("stylegan2-horse", "horses, 256x256 (TensorFlow)", "stylegan2-horse-config-f.pkl", None, None),
        ("stylegan2-ffhq-f", "faces, 1024x1024 (TensorFlow)", "stylegan2-ffhq-config-f.pkl", None, None),
    ),
    **_table(
        *("stylegan2", "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan2/versions/1/files/", _NVIDIA),
        "github.com/NVlabs/stylegan3, README",
        ("stylegan2-ffhq256", "faces, 256x256", "stylegan2-ffhq-256x256.pkl", None, None),
        ("stylegan2-ffhq512", "faces, 512x512", "stylegan2-ffhq-512x512.pkl", None, None),
        ("stylegan2-celebahq256", "faces of celebrities, 256x256", "stylegan2-celebahq-256x256.pkl", None, None),
        ("stylegan2-lsundog256", "dogs, 256x256", "stylegan2-lsundog-256x256.pkl", None, None),
    ),
    **_table(
        *("stylegan3", "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan3/versions/1/files/", _NVIDIA),
        "github.com/NVlabs/stylegan3, README",
        ("stylegan3-t-ffhq", "faces, 1024x1024", "stylegan3-t-ffhq-1024x1024.pkl", None, None),
        ("stylegan3-r-ffhq", "faces, 1024x1024", "stylegan3-r-ffhq-1024x1024.pkl", None, None),
        ("stylegan3-t-ffhqu256", "faces, not aligned, 256x256", "stylegan3-t-ffhqu-256x256.pkl", None, None),
        ("stylegan3-r-ffhqu256", "faces, not aligned, 256x256", "stylegan3-r-ffhqu-256x256.pkl", None, None),
        ("stylegan3-t-metfaces", "painted faces, 1024x1024", "stylegan3-t-metfaces-1024x1024.pkl", None, None),
        ("stylegan3-r-metfaces", "painted faces, 1024x1024", "stylegan3-r-metfaces-1024x1024.pkl", None, None),
        ("stylegan3-t-afhqv2", "cats, dogs, wild animals, 512x512", "stylegan3-t-afhqv2-512x512.pkl", None, None),
        ("stylegan3-r-afhqv2", "cats, dogs, wild animals, 512x512", "stylegan3-r-afhqv2-512x512.pkl", None, None),
    ),
    "stylegan3-t-lhq256": Entry(
        "hf://justinpinkney/stylegan3-t-lhq-256/lhq-256-stylegan3-t-25Mimg.pkl",
        "cdf396b1e68a7da77faa292b3360e97bab42d12f0817016616a2146b8ed4a10a",
        "landscapes, 256x256",
        "see its page on Hugging Face; trained with NVIDIA's code",
        "stylegan3",
        343,
        seen="huggingface.co/justinpinkney/stylegan3-t-lhq-256",
    ),
    **_table(
        *("stylegan2", "hf://DragGan/DragGan-Models/", "see its page on Hugging Face; trained with NVIDIA's code"),
        "huggingface.co/DragGan/DragGan-Models",
        *(
            ("stylegan2-lhq256", "landscapes, 256x256", "stylegan2-lhq-256x256.pkl", 357,
             "ae2c33d456ff3f274d472da9849c9bb515b7f0032af0d713d0d2d7f42b7942dc"),
            ("stylegan2-lions512", "lions, 512x512", "stylegan2_lions_512_pytorch.pkl", 364,
             "0a01ff8344521171b1a2eff1e9a51c1acbc48221bdc2594919187f66a3942bcc"),
        ),
    ),
    **_table(
        *("stylegan_xl", "https://s3.eu-central-1.amazonaws.com/avg-projects/stylegan_xl/models/"),
        "not stated beside the file; trained with NVIDIA's StyleGAN3 code",
        "github.com/autonomousvision/stylegan-xl, README",
        ("stylegan-xl-imagenet64", "the 1000 classes of ImageNet, 64x64", "imagenet64.pkl", None, None),
        ("stylegan-xl-imagenet128", "the 1000 classes of ImageNet, 128x128", "imagenet128.pkl", None, None),
        ("stylegan-xl-cifar10", "ten classes of small pictures, 32x32", "cifar10.pkl", None, None),
        ("stylegan-xl-ffhq256", "faces, 256x256", "ffhq256.pkl", None, None),
        ("stylegan-xl-pokemon256", "Pokémon, 256x256", "pokemon256.pkl", None, None),
    ),
    "biggan-deep-128": _biggan_deep(128, 201),
    "biggan-deep-256": _biggan_deep(256, 224),
    "biggan-deep-512": _biggan_deep(512, 225),
    **_table(
        *("progan", "https://dl.fbaipublicfiles.com/gan_zoo/PGAN/"),
        "code BSD (Facebook); trained on pictures that are for research",
        "github.com/facebookresearch/pytorch_GAN_zoo, hubconf.py",
        ("progan-celebahq256", "faces of celebrities, 256x256", "celebaHQ_s6_i80000-6196db68.pth", None, None),
        ("progan-celebahq512", "faces of celebrities, 512x512",
         "celebaHQ16_december_s7_i96000-9c72988c.pth", None, None),
        ("progan-textures", "textures (DTD), 128x128", "testDTD_s5_i96000-04efa39f.pth", None, None),
        ("progan-celeba", "faces of celebrities, 128x128", "celebaCropped_s5_i83000-2b0acc76.pth", None, None),
    ),
}  # fmt: skip
"""Models known by name."""

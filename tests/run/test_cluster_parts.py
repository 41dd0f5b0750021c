"""What is said to workers, sent to them and taken in from them, without a cluster."""

from __future__ import annotations

import pickle
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gandream.base.errors import CheckpointError, RecipeError, RenderError
from gandream.recipe.load import load_recipe
from gandream.rendering.batches import TooManyError
from gandream.rendering.plan import Segment
from gandream.rendering.reel import make_reel
from gandream.rendering.segments import SegmentSink
from gandream.rendering.store import Store
from gandream.rendering.together import Job
from gandream.run.cluster.cargo import Sent, brought, contents, sent
from gandream.run.cluster.facts import Facts, differences, sources, versions
from gandream.run.cluster.intake import take_in
from gandream.run.cluster.sinks import Made, Part
from gandream.run.cluster.where import ClusterError, Where, where
from gandream.run.cluster.worker import Broken
from gandream.run.prepare import prepare
from gandream.video.segments import publish_with_digest


def test_places_to_render_on():
    assert where("local") is None
    assert where("ray") == Where(None)
    assert where("ray:auto", "bytes", 3) == Where("auto", "bytes", 3)
    assert where("ray:10.0.0.1:6379") == Where("10.0.0.1:6379")
    assert where("ray://head:10001") == where("ray:ray://head:10001") == Where("ray://head:10001")
    assert where("ray:[::1]:6379", "s3://bucket/film") == Where("[::1]:6379", "s3://bucket/film")
    assert {place.said for place in (Where(None), Where("auto"), Where("ray://h:1"))} == {
        "--on ray",
        "--on ray:auto",
        "--on ray://h:1",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rya",), "Did you mean 'ray'"),
        (("slurm",), "no such place"),
        (("local:7",), "no such place"),
        (("ray:",), "no address"),
        (("ray:host",), "no address"),
        (("ray:http://host:80",), "no address"),
        (("ray:a b:80",), "no address"),
        (("local", "bytes"), "there are none"),
        (("local", "auto", 2), "--workers"),
        (("ray", "share"), "Did you mean 'shared'"),
        (("ray", "/folder"), "no such way"),
    ],
)
def test_what_is_no_place(words: tuple[object, ...], said: str):
    with pytest.raises(ClusterError) as caught:
        where(*words)  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_other_versions_are_told_with_their_nodes():
    own = versions()
    assert set(own) >= {"gandream", "python", "torch", "ffmpeg"}
    assert sources() in own["gandream"]
    older = {**own, "torch": "1.0"}
    assert differences(own, [Facts("a", own), Facts("b", own)]) == ""
    told = differences(own, [Facts("a", own), *(Facts(name, older) for name in "bcdef"), Facts("g", {"torch": "2"})])
    assert f"b, c, d and 2 more have torch 1.0 (here {own['torch']})" in told
    assert "a" not in told.split()
    assert "g has gandream none" in told


def test_another_line_of_code_is_another_version(tmp_path: Path):
    (tmp_path / "rendering").mkdir()
    (tmp_path / "cli").mkdir()
    file = tmp_path / "rendering" / "plan.py"
    file.write_bytes(b"a = 1\n")
    before = sources(tmp_path)
    sources.cache_clear()
    (tmp_path / "cli" / "words.py").write_text("b = 1\n")
    assert sources(tmp_path) == before, "commands shape no frame"
    sources.cache_clear()
    file.write_bytes(b"a = 1\r\n")
    assert sources(tmp_path) == before, "nor do the ends of lines"
    sources.cache_clear()
    file.write_bytes(b"a = 2\n")
    assert sources(tmp_path) != before


def test_files_come_once_and_by_content(tmp_path: Path):
    source = tmp_path / "there" / "net.bin"
    source.parent.mkdir()
    source.write_bytes(bytes(range(256)) * 9)
    (source.parent / "config.json").write_bytes(b"{}")
    (source.parent / "empty").touch()
    files = [sent(source), sent(source.parent / "config.json"), sent(source.parent / "empty")]
    by_sum = {file.sha256: np.array(contents(file)) for file in files}
    asked: list[str] = []

    def get(sha256: str) -> np.ndarray:
        asked.append(sha256)
        return by_sum[sha256]

    cache = tmp_path / "cache"
    cache.mkdir()
    assert brought(files, get, cache) == source, "this machine sees it where the driver does"
    moved = source.parent.rename(tmp_path / "elsewhere")
    path = brought(files, get, cache)
    assert path.read_bytes() == (moved / "net.bin").read_bytes()
    assert (path.parent / "config.json").read_bytes() == b"{}"
    assert len(asked) == 3
    assert brought(files, get, cache) == path
    assert len(asked) == 3
    path.write_bytes(b"damaged")
    assert brought(files, get, cache).read_bytes() == (moved / "net.bin").read_bytes()
    assert asked[3:] == [files[0].sha256]
    assert [one.name for one in cache.iterdir()] == [path.parent.name], "no lock stays"


RECIPE = """\
model: cppn#7
walk: {through: [1, 2, 3], every: 1}
effects: [{trails: 0.5}, {text: "a b", font: letters.ttf}]
video: {size: 32, fps: 8, duration: 5}
"""


@pytest.fixture
def reel(tmp_path: Path):
    import PIL

    if not (fonts := list(Path("/usr/share/fonts").rglob("*.ttf"))):
        import matplotlib

        fonts = list(Path(matplotlib.get_data_path()).rglob("DejaVuSans.ttf"))
    assert PIL
    shutil.copy(fonts[0], tmp_path / "letters.ttf")
    (tmp_path / "r.yaml").write_text(RECIPE)
    return prepare(load_recipe(tmp_path / "r.yaml"), tmp_path / "cache", device="cpu").reel("cpu")


def test_a_plan_travels_with_its_files_and_means_the_same(reel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("ray")
    from gandream.run.cluster.parcel import pack, unpack

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    data, files = pack([reel])
    assert [file.name for file in files] == ["letters.ttf"]
    assert len(data) < 40_000
    there = {file.sha256: np.array(contents(file)) for file in files}
    (tmp_path / "letters.ttf").unlink()
    (found,) = unpack(data, there.__getitem__)
    assert make_reel(found.shots).segments == reel.segments
    links = [link for shot in found.shots for link in shot.plan.effects.links]
    assert [link.name for link in links] == ["trails", "text"]
    assert links[0].past is not None
    assert links[0].since(20, 30) == reel.shots[0].plan.effects.links[0].since(20, 30)
    if sys.platform == "linux":
        (font,) = (tmp_path / "home").rglob("letters.ttf")
        words = b"".join(part.encode() for part in font.parent.parts[-1:])
        assert words in pickle.dumps(links[1].choices), "the font is this machine's now"


@pytest.mark.parametrize(
    "error",
    [
        TooManyError("rendering", "8 pictures", "fewer", 8),
        CheckpointError("model", "is gone"),
        RecipeError("r.yaml", "a", "b"),
    ],
)
def test_errors_come_home_as_they_are(error: RenderError):
    error.__cause__ = ValueError("stays there")
    found = pickle.loads(pickle.dumps(Broken.of(error))).error()
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)
    assert found.exit_code == error.exit_code


@pytest.fixture
def segment(tmp_path: Path) -> tuple[Part, Made, Job, Store]:
    """A segment as a worker hands it on, and the driver's place for it."""
    there = tmp_path / "worker"
    there.mkdir()
    (there / "a.mp4").write_bytes(b"a film")
    path = publish_with_digest(there / "a.mp4", there, "0123abcd")
    part, store = Part(0, Segment(0, 8, "0123abcd"), range(8)), Store(tmp_path / "store")
    job = Job(None, {}, SegmentSink(None, store))  # type: ignore[arg-type]
    return part, Made(path.name, path.read_bytes()), job, store


def test_a_segment_is_taken_in_whole_or_not_at_all(segment: tuple[Part, Made, Job, Store]):
    part, made, job, store = segment
    damaged = replace(made, data=b"a fi1m")
    stranger = replace(made, name=made.name.replace("0123", "4567"))
    for bad in (damaged, stranger, replace(made, data=b"")):
        assert not take_in([job], [part], [bad], "auto")
        assert list(store.segments.iterdir()) == []
    assert take_in([job], [part], [made], "auto")
    found = store.find("0123abcd")
    assert found is not None
    assert found.read_bytes() == made.data
    assert [one.name for one in store.segments.iterdir()] == [made.name]


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_segments_go_through_a_store_of_fsspec(segment: tuple[Part, Made, Job, Store], kind: str, tmp_path: Path):
    pytest.importorskip("fsspec")
    from gandream.run.cluster import remote

    part, made, job, store = segment
    address = f"{kind}://{tmp_path}/bucket"
    remote.check(address)
    assert remote.there(address, ["0123abcd"]) == {}
    assert not take_in([job], [part], [Made(made.name)], address), "it isn't there"
    remote.put(tmp_path / "worker" / made.name, address)
    assert not (tmp_path / "worker" / made.name).exists()
    assert remote.there(address, ["0123abcd", "beef"]) == {"0123abcd": made.name}
    assert take_in([job], [part], [Made(made.name)], address)
    assert store.find("0123abcd") is not None


def test_stores_that_are_none_are_told(tmp_path: Path):
    pytest.importorskip("fsspec")
    from gandream.run.cluster import remote

    (tmp_path / "file").touch()
    for address, said in (("nonsense://x", "nonsense"), (f"file://{tmp_path}/file/x", "can't be written")):
        with pytest.raises(ClusterError, match=said) as caught:
            remote.check(address)
        assert address in str(caught.value)


def test_what_is_sent_is_small_and_plain():
    file = Sent("0" * 64, 1 << 30, "net.pkl", "/there/net.pkl")
    assert len(pickle.dumps(file)) < 250

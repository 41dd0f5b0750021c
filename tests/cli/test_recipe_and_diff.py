"""``gandream recipe``, ``gandream diff`` and ``render --strict`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

TEXT = "model: cppn#7\nwalk: {through: [1, 2], every: 1}\nvideo: {size: 32, fps: 5, duration: 2, preset: ultrafast}\n"
DARK = "effects: {brightness: {0s: 0, 1s: 0, 1.2s: 1}}\n"


def test_recipe_prints_or_saves_what_was_written(gandream, here: Path):
    (here / "r.yaml").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert gandream("render", "r.yaml").status == 0
    said = gandream("recipe", "outputs/r.mp4")
    assert (said.status, said.out.replace("\r", ""), said.err) == (0, TEXT, "")
    said = gandream("recipe", "outputs/r.mp4", "-o", "again.yaml")
    assert (said.status, said.out, said.err) == (0, "again.yaml\n", "")
    assert (here / "again.yaml").read_bytes() == (here / "r.yaml").read_bytes()
    said = gandream("recipe", "outputs/r.mp4", "-o", "again.yaml")
    assert said.status == 2
    assert "a file is here already" in said.err
    assert gandream("recipe", "outputs/r.mp4", "-o", "again.yaml", "--force").status == 0
    (here / "elsewhere").mkdir()
    said = gandream("recipe", "outputs/r.mp4", "-o", "elsewhere/again.yaml", "--json")
    assert said.err == "note: it was r.yaml; names of files in it start from there\n"
    told = json.loads(said.out)
    assert (told["recipe"], Path(told["saved"]), told["moment"]) == ("r.yaml", Path("elsewhere/again.yaml"), None)
    said = gandream("recipe", "nothing.mp4")
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("nothing.mp4\n  no such file\n")


def test_diff_says_what_differs_and_its_status_too(gandream, here: Path):
    (here / "a.yaml").write_text(TEXT)
    (here / "b.yaml").write_text(TEXT.replace("every: 1", "every: 2"))
    said = gandream("diff", "a.yaml", "a.yaml")
    assert (said.status, said.out, said.err) == (0, "nothing differs\n", "")
    said = gandream("diff", "a.yaml", "b.yaml")
    assert (said.status, said.err) == (1, "")
    assert said.out.splitlines()[:3] == ["words", "  walk.every  1s -> 2s", "where"]
    said = gandream("diff", "a.yaml", "b.yaml", "--json")
    told = json.loads(said.out)
    assert (said.status, told["same"]) == (1, False)
    assert told["words"] == [{"name": "walk.every", "before": "1s", "after": "2s"}]
    assert told["parts"][0]["words"] == ["walk.every"]
    said = gandream("diff", "a.yaml", "c.yaml")
    assert (said.status, said.out) == (2, "")
    assert "no such file" in said.err


def test_what_a_film_says_leaves_the_terminal_as_it_is(gandream, here: Path):
    (here / "a.yaml").write_text(TEXT)
    (here / "b.yaml").write_text(TEXT + 'title: "\\e]0;mine\\a"\n')
    said = gandream("diff", "a.yaml", "b.yaml")
    assert said.out.splitlines()[1] == "  title  nothing -> \\u001b]0;mine\\u0007"
    told = {"recipe": {"file": "\x1b[31m/r.yaml", "text": TEXT}}
    (here / "x.manifest.json").write_text(json.dumps(told))
    said = gandream("recipe", "x.manifest.json")
    assert "\\u001b[31m" in said.err
    assert "\x1b" not in said.out + said.err
    told["recipe"]["text"] = f"{TEXT}# \x1b[31m"
    (here / "x.manifest.json").write_text(json.dumps(told))
    said = gandream("recipe", "x.manifest.json")
    assert (said.status, said.out) == (2, "")


def test_what_can_t_be_compared_is_not_the_same(gandream, here: Path):
    (here / "a.yaml").write_text(TEXT)
    (here / "old.manifest.json").write_text(json.dumps({"recipe": {"file": "a.yaml", "text": "modle: cppn#7\n"}}))
    said = gandream("diff", "old.manifest.json", "a.yaml")
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("old.manifest.json\n  its recipe can't be read")


def test_flaws_are_notes_and_errors_where_one_is_strict(gandream, here: Path):
    (here / "r.yaml").write_text(TEXT + DARK)
    note = "note: 0:00 to 0:01.2 is black: effects.brightness is 0 there\n"
    said = gandream("render", "r.yaml")
    assert (said.status, said.err) == (0, note)
    said = gandream("render", "r.yaml", "--strict", "--json")
    assert said.status == 1
    assert said.err == note + "a flaw was found, and --strict makes that an error; the film is there\n"
    told = json.loads(said.out)
    assert (told["frames"], told["rendered"], told["others"]) == (10, 0, [])
    assert [(flaw["kind"], flaw["from_s"], flaw["to_s"]) for flaw in told["quality"]] == [("black", 0.0, 1.2)]
    assert Path(told["file"]).is_file()
    (here / "good.yaml").write_text(TEXT)
    said = gandream("render", "good.yaml", "--strict")
    assert (said.status, said.err) == (0, "")

"""What a model computes in is fixed when a film is planned, and is in the keys of its segments."""

from __future__ import annotations

from gandream.models.precision import dtype_of, multiplies_bfloat16
from gandream.models.registry import describe
from gandream.recipe.load import load_recipe
from gandream.run.prepare import load_model, precision_of, prepare


def test_precision(tmp_path, stylegan2_file):
    model = stylegan2_file(channels=(128, 128, 128))
    keys, spec = {}, describe(str(model))
    for word in ("auto", "exact"):
        file = tmp_path / f"{word}.yaml"
        file.write_text(
            f"model: {{file: {model}, precision: {word}}}\nvideo: {{duration: 0.1}}\nwalk: {{through: [1, 2]}}\n"
        )
        recipe = load_recipe(file)
        prepared = prepare(recipe, tmp_path)
        for device in ("cpu", "cuda"):
            keys[word, device] = prepared.reel(device).segments[0].key
        loaded = load_model(recipe, "cpu")
        assert vars(loaded)["dtype"] is dtype_of(precision_of(recipe, spec, "cpu"))
        assert precision_of(recipe, spec, "cuda") == ("float16" if word == "auto" else "float32")
    assert (keys["auto", "cpu"] != keys["exact", "cpu"]) is multiplies_bfloat16()
    assert keys["auto", "cuda"] != keys["exact", "cuda"]

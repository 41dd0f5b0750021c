import numpy as np
import pytest

from gandream.base.errors import RecipeError
from gandream.models.spec import Layer, Spec
from gandream.recipe.layers import GROUPS, read_layers
from gandream.trajectory.layers import group, mask


def spec(count, family="cppn") -> Spec:
    return Spec(family, f"{family}-test", "0", 64, tuple(Layer(f"layer{index}") for index in range(count)))


@pytest.mark.parametrize("family", ["cppn", "stylegan2"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 9, 10, 14, 16, 18, 26])
def test_groups_cover_all_layers_in_order(family, count):
    coarse, middle, fine = (group(name, spec(count, family)) for name in ("coarse", "middle", "fine"))
    assert group("all", spec(count, family)) == range(count)
    if count == 1:
        assert coarse == middle == fine == range(1)
    else:
        assert [*coarse, *middle, *fine] == list(range(count))


@pytest.mark.parametrize("family", ["stylegan1", "stylegan2"])
def test_the_first_stylegans_have_the_groups_of_their_paper(family):
    assert group("coarse", spec(18, family)) == range(4)
    assert group("middle", spec(18, family)) == range(4, 8)
    assert group("fine", spec(18, family)) == range(8, 18)
    assert group("middle", spec(6, family)) == range(4, 6)


@pytest.mark.parametrize("family", ["stylegan3", "stylegan_xl", "biggan", "biggan_deep", "progan", "dcgan", "cppn"])
@pytest.mark.parametrize("count", range(3, 30))
def test_the_groups_of_others_are_thirds(count, family):
    sizes = [len(group(name, spec(count, family))) for name in ("coarse", "middle", "fine")]
    assert max(sizes) - min(sizes) <= 1


def chosen(written, layers, count=9, family="cppn"):
    recipe = written(f"push: {{random: 3, layers: {layers}}}")
    picked = recipe.push[0].layers
    return list(np.flatnonzero(mask(picked, spec(count, family), recipe, ("push", 0, "layers"))))


@pytest.mark.parametrize(
    ("layers", "numbers"),
    [
        ("coarse", [0, 1, 2]),
        ("3", [3]),
        ("0-3", [0, 1, 2, 3]),
        ("7-", [7, 8]),
        ("0-", list(range(9))),
        ("8-8", [8]),
        ("all", list(range(9))),
        ("[fine, 0, 3-4]", [0, 3, 4, 6, 7, 8]),
    ],
)
def test_ranges_include_both_ends(written, layers, numbers):
    assert chosen(written, layers) == numbers


@pytest.mark.parametrize(("layers", "number"), [("9", 9), ("4-12", 12), ("9-", 9), ("[0, 20-]", 20)])
def test_a_layer_beyond_the_last_is_an_error_that_says_which_there_are(written, layers, number):
    with pytest.raises(RecipeError) as caught:
        chosen(written, layers)
    assert "film.yaml:1:19  push.layers" in caught.value.where
    assert caught.value.problem == f"cppn-test has layers 0 to 8; {number} is beyond them"


def test_a_group_that_a_small_model_does_not_have_is_an_error(written):
    with pytest.raises(RecipeError) as caught:
        chosen(written, "[coarse, fine]", 8, "stylegan2")
    assert caught.value.problem == "stylegan2-test has no fine layers: its layers are 0 to 7"


@pytest.mark.parametrize(
    ("layers", "numbers"),
    [("fine", []), ("[coarse, fine]", [0, 1, 2, 3]), ("6-", [6, 7]), ("6-99", [6, 7]), ("9-", [])],
)
def test_optional_layers_are_those_that_there_are(written, layers, numbers):
    recipe = written(f"noise: {{layers: {layers}, optional: true}}")
    picked = mask(recipe.noise[0].layers, spec(8, "stylegan2"), recipe, ("noise", 0, "layers"), optional=True)
    assert list(np.flatnonzero(picked)) == numbers


def test_one_layer_has_all_names(written):
    for name in GROUPS:
        assert chosen(written, name, 1, "dcgan") == [0]


def test_a_mask_is_as_long_as_the_model(written):
    recipe = written("walk: {through: 3}")
    assert mask(read_layers("coarse"), spec(14), recipe, ("push",)).shape == (14,)

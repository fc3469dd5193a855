"""What fits an annotation and a range passes, known or traced; what does not is named. No check is silently left out."""

import dataclasses
import importlib
import inspect
import pkgutil
from typing import Annotated, Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float, Int, Key

import mtjax as mtj
from mtjax import checks
from mtjax.quantities import Numbers

STT = mtj.presets.perpendicular_stt(40.0)


def everything():
    """Every class with fields, and every checked function, of mtjax."""
    for found in pkgutil.walk_packages(mtj.__path__, "mtjax."):
        module = importlib.import_module(found.name)
        for thing in vars(module).values():
            if getattr(thing, "__module__", None) != found.name:
                continue
            is_checked = (
                callable(thing) and getattr(thing, "__code__", None) is not None and "checks.py" in thing.__code__.co_filename
            )
            if is_checked or (inspect.isclass(thing) and dataclasses.is_dataclass(thing)):
                yield thing


def test_every_annotation_is_understood():
    things = list(everything())
    assert len(things) > 150
    assert [
        thing for thing in things if not checks._hints(inspect.unwrap(thing)) and len(inspect.signature(thing).parameters)
    ] == []


FITS = [
    (int, [3, np.int64(3), np.array(3), jnp.array(3)], [3.0, True, "3", None, [3], jnp.array(3.0)]),
    (float, [0.3, 3, np.float32(0.3), np.array(0.3), jnp.array(0.3)], [1j, "0.3", None, [0.3], np.zeros(1)]),
    (bool, [True, np.bool_(1)], [1, "yes", None]),
    (str, ["a"], [1, None, b"a"]),
    (Literal["a", "b"], ["a"], ["c", 1]),
    (int | None, [None, 3], [2.5]),
    (Key[Array, ""], [jax.random.key(0), jax.random.PRNGKey(0)], [0, None, 1.5, jax.random.split(jax.random.key(0))]),
    (Float[Array, "3"], [jnp.ones(3), np.ones(3), [1, 2, 3]], [jnp.ones(2), 1.0, "abc", jnp.ones((2, 3)), [1j, 0, 0], None]),
    (Int[Array, " n"], [jnp.arange(3)], [jnp.ones(3), 1]),
    (Numbers, [1, [1, 2.5], np.ones((2, 2)), [jnp.ones(()), 2]], ["abc", None, [1, "a"], 1j, [[1], [1, 2]]]),
    (tuple[int, ...], [(), (1, 2), [1]], ["12", 1, (1.5,), None]),
    (tuple[checks.Count, checks.Count], [(1, 2)], [(0, 1), (1,), (1, 2, 3)]),
    (dict[str, float], [{"a": 1.0}], [{"a": "b"}, {1: 1.0}, ["a"]]),
    (type(STT), [STT], ["perpendicular_stt", type(STT), None]),
    (Any, [None, "a"], []),
]  # fmt: skip


@pytest.mark.parametrize(("hint", "good", "bad"), FITS, ids=[str(hint) for hint, *_ in FITS])
def test_kinds(hint, good, bad):
    test = checks._test(hint)
    assert [x for x in good if not test(x)] == []
    assert [x for x in bad if test(x)] == []


def test_traced_numbers_pass_and_shapes_are_still_looked_at():
    def Bk(x):
        return mtj.Device(STT.layer, (mtj.UniaxialAnisotropy(x),), temperature=jnp.abs(x) + 1).terms[0].Bk

    assert float(jax.jit(Bk)(0.3)) == pytest.approx(0.3)
    assert float(jax.grad(Bk)(0.3)) == 1.0
    assert jax.vmap(Bk)(jnp.ones(4)).shape == (4,)
    with pytest.raises(ValueError, match=r"`Bk` of UniaxialAnisotropy must be one number, but is an array of shape \(4,\)"):
        jax.jit(lambda x: mtj.UniaxialAnisotropy(x).Bk)(jnp.ones(4))


def test_trees_are_put_together_without_checks():
    emptied = jax.tree.map(lambda x: None, STT)
    assert emptied.layer.Ms is None
    assert eqx.tree_at(lambda d: d.temperature, STT, -1.0).temperature == -1.0
    assert eqx.filter_eval_shape(lambda d: d, STT).temperature.shape == ()


def test_a_class_of_your_own_is_checked_before_its_own_check():
    class Sixfold(mtj.AbstractEnergy):
        B6: Float[Array, ""] = mtj.quantity("T", least=0.0)

        def __check_init__(self):
            assert self.B6 >= 0

        def energy(self, m, magnet, drive):
            return self.B6 * m.z**6

    assert Sixfold(0.1).B6 == 0.1
    with pytest.raises(ValueError, match="`B6` of Sixfold must be finite and at least 0, but is -1.0"):
        Sixfold(-1.0)


@checks.checked
def wait(seconds: Annotated[float, checks.Within(least=0.0, most=9.0, unit="s")], times: checks.Count = 1):
    return seconds * times


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((-1.0,), "`seconds` must be between 0 and 9, but is -1.0 s."),
        ((float("nan"),), "`seconds` must be between 0 and 9, but is nan s."),
        ((1.0, 0), "`times` must be finite and at least 1, but is 0."),
        ((1.0, 2.5), "`times` must be a whole number, but is 2.5."),
        (("1 s",), "`seconds` must be a number, but is '1 s'."),
        ((float,), "`seconds` must be a number, but is the class float."),
    ],
)
def test_sentences(arguments, sentence):
    with pytest.raises(ValueError, match="must be") as error:
        wait(*arguments)
    assert str(error.value) == sentence


def test_what_fits_passes():
    assert wait(2.0, times=3) == 6.0
    assert jax.jit(wait)(2.0) == 2.0
    assert wait.__name__ == "wait"

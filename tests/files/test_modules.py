"""Classes and parameters stand in files by their names; what the first release wrote is still read."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.files import decode, encode, rebuilt, register, write_whole
from mtjax.quantities import Scalar, quantity, require


class Tilt(mtj.AbstractEnergy):
    """An energy of a user's own."""

    strength: Scalar = quantity("T")

    def __check_init__(self):
        require(self, "strength", least=0.0)

    def energy(self, m, layer, drive):
        """None."""
        return 0.0 * self.strength


class Mine(eqx.Module):
    """Nothing of mtjax's."""

    x: float


def test_every_class_of_the_package_is_found_by_its_name():
    device = mtj.presets.perpendicular_stt(40.0)
    written = json.loads(json.dumps(encode(device)))
    assert written["class"] == "Device"
    assert {term["class"].isidentifier() for term in written["terms"]} == {True}
    assert eqx.tree_equal(decode(written), device)


def test_a_class_of_ones_own_is_handed_over_or_registered():
    written = json.loads(json.dumps(encode(Tilt(0.5))))
    with pytest.raises(ValueError, match="is 'Tilt': if it is yours, decorate it with mtjax.files.register, or hand it to"):
        decode(written)
    assert eqx.tree_equal(decode(written, classes=(Tilt,)), Tilt(0.5))
    assert eqx.tree_equal(rebuilt(Tilt(0.5)), Tilt(0.5))
    assert register(Mine) is Mine
    assert decode(encode(Mine(2.0))) == Mine(2.0)


def test_names_of_the_package_and_other_things_are_refused():
    twin = type("Pulse", (eqx.Module,), {"__module__": __name__})
    with pytest.raises(ValueError, match="that mtjax does not use, but is called 'Pulse'"):
        register(twin)
    with pytest.raises(ValueError, match="must be an equinox.Module"):
        register(dict)
    for name in ("os:system", "json", "mtjax.files.modules:np"):
        with pytest.raises(ValueError, match="one of mtjax's own"):
            decode({"class": name})


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg", "unsafe_rbg"])
def test_a_random_key_of_any_kind_is_read_back(impl):
    key = jax.random.key(3, impl=impl)
    again = decode(json.loads(json.dumps(encode(key))))
    assert again.dtype == key.dtype
    assert jnp.array_equal(jax.random.uniform(again, 4), jax.random.uniform(key, 4))


def test_a_file_that_cannot_be_written_whole_stays_as_it_was(tmp_path):
    path = tmp_path / "a.json"
    write_whole(path, "before")

    def fails(file):
        file.write(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_whole(path, fails)
    assert [p.name for p in Path(tmp_path).iterdir()] == ["a.json"]
    assert path.read_text() == "before"
    write_whole(path, np.arange(3, dtype=np.uint8).tobytes())
    assert path.read_bytes() == b"\0\1\2"

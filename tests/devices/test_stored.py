"""Devices in files that people edit: the same to the bit, and every mistake in one sentence with the nearest right name."""

import equinox as eqx
import jax
import numpy as np
import pytest

import mtjax as mtj
from mtjax.files import as_toml, from_toml

SOT = mtj.presets.perpendicular_sot()
GOOD = as_toml(SOT)


def edited(old, new):
    assert old in GOOD
    return from_toml(GOOD.replace(old, new, 1), mtj.Device, "mine.toml")


@pytest.mark.parametrize("name", ["sengupta2016", "perpendicular_stt", "perpendicular_sot", "kurenkov2019_neuron"])
def test_every_preset_comes_back_to_the_bit(name, tmp_path):
    entry, path = mtj.presets.CATALOGUE[name], tmp_path / "mine.toml"
    device = entry.make()
    mtj.write_device(device, path, title=entry.title, sources=entry.sources)
    again = mtj.read_device(path)
    assert jax.tree.structure(again) == jax.tree.structure(device)
    for a, b in zip(jax.tree.leaves(device), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
        assert a.dtype == b.dtype
    text = path.read_text()
    assert text.startswith(f"# {entry.title}\n")
    for value in mtj.presets.values_of(entry, device):
        field = value.name.split(".")[-1]
        lines = [line for line in text.splitlines() if line.startswith(f"{field} = ")]
        assert any(value.unit in line and value.source in line for line in lines), value


def test_unit_vectors_and_all_parts_come_back_to_the_bit():
    """Directions that are not axes, infinity, a heated layer with Ms(T), what stands in several tables."""
    rng = np.random.default_rng(0)
    saturation = mtj.BlochLaw(Tc=900.0, anisotropy_exponent=3.1)
    for v in rng.normal(size=(20, 3)):
        layer = mtj.FreeLayer(
            mtj.Ellipsoid(*rng.uniform(1e-9, 1e-7, 3)), Ms=rng.uniform(4e5, 2e6), alpha=0.1, saturation=saturation
        )
        terms = (
            mtj.UniaxialAnisotropy(rng.uniform(), v), mtj.SecondOrderAnisotropy(0.1), mtj.ExchangeBias(v / 7), mtj.VCMA(1e-13, 1e-9),
            mtj.SpinTransferTorque(0.3, v, epsilon_prime=0.1), mtj.SpinOrbitTorque(0.3, 1e-7, 3e-9, -v, spin_diffusion_length=1e-9),
        )  # fmt: skip
        device = mtj.Device(layer, terms, v, readout=mtj.AnomalousHall(1.0), heating=mtj.JouleHeating([1e6, 2e5], [1e-9, 3e-9]))
        again = from_toml(as_toml(device), mtj.Device, "mine.toml")
        assert eqx.tree_equal(again, device)


def test_what_is_edited_is_read_in_any_unit():
    assert edited("length = 5e-08", 'length = "60 nm"').layer.shape.length == pytest.approx(60e-9)
    assert edited("temperature = 300.0", 'temperature = "77 K"').temperature == 77
    assert edited("temperature = 300.0", "temperature = 350").temperature == 350
    np.testing.assert_allclose(edited("B = [0.02, 0.0, 0.0]", 'B = ["300 Oe", 0, 0]')[mtj.AppliedField].B, [0.03, 0, 0])
    np.testing.assert_allclose(edited("start = [0.0, 0.0, 1.0]", "start = [0, 3, 4]").start, [0, 0.6, 0.8])
    assert edited("write_resistance = 800.0 # ohm\n", "").write_resistance == 1e3  # its default
    assert edited('class = "FreeLayer"\n', "").layer.Ms == 1e6  # there is no other class


def test_terms_of_your_own():
    class Slant(mtj.AbstractEnergy):
        strength: jax.Array = mtj.quantity("T")

        def energy(self, m, magnet, drive):
            return -self.strength * m.x * m.z

    device = mtj.Device(SOT.layer, (Slant(0.07),))
    mine = mtj.files.register(Slant)
    again = from_toml(as_toml(device), mtj.Device, "mine.toml")
    assert eqx.tree_equal(again, device)
    assert isinstance(from_toml(as_toml(device), mtj.Device, "mine.toml", (mine,)).terms[0], Slant)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("alpha =", "alfa =", "FreeLayer in [layer] has no value called 'alfa'; the nearest is 'alpha'."),
        ("Ms =", "MS =", "has no value called 'MS'; the nearest is 'Ms'."),
        ("[readout]", "[read_out]", "Device has no value called 'read_out'; the nearest is 'readout'."),
        ("theta_sh = 0.3", "spin_hall_angle = 0.3", "SpinOrbitTorque in [terms[2]] has no value called 'spin_hall_angle'"),
        ("alpha = 0.05\n", "", "FreeLayer in [layer] must have 'alpha', which the file lacks."),
        ("SpinOrbitTorque", "SpinOrbitTorqe", "the nearest is 'SpinOrbitTorque'."),
        ('class = "UniaxialAnisotropy"\n', "", "The table in [terms[0]] must name its class"),
        ('"AnomalousHall"', '"SpinOrbitTorque"', "The class in [readout] must be one of Resistance, but is SpinOrbitTorque."),
        ("5e-08", '"50 nT"', "`length` of EllipticCylinder in [layer.shape] must be a number in m, but is '50 nT'."),
        ("5e-08", '"fifty"', "must be a number in m, but is 'fifty'."),
        ("5e-08", "true", "must be a number in m, but is True."),
        ("5e-08", "-1.0", "`length` of EllipticCylinder must be finite and positive, but is -1.0"),
        ("5e-08", "[1e-9, 2e-9]", "`length` of EllipticCylinder must be one number"),
        ("alpha = 0.05", "alpha = 2025-01-01", "`alpha` of FreeLayer in [layer] must be a number without a unit"),
        ("[0.0, -1.0, 0.0]", "[0.0, -1.0]", "three components"),
        ("alpha = 0.05", "alpha = 0.05\nalpha = 0.06", "must be TOML, but is not: cannot overwrite a value (at line 10"),
        ("[layer]", "[layer", "must be TOML, but is not: "),
        ('"Device"', '"Pulse"', "Pulse has no value called 'start'"),
    ],
)
def test_mistakes_are_told_in_one_sentence(old, new, message):
    with pytest.raises(ValueError, match="^mine.toml") as error:
        edited(old, new)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_hold_no_device(tmp_path):
    path = tmp_path / "other.toml"
    for text, message in [
        (b"", "must have 'layer' and 'terms'"),
        (b'class = "Pulse"\namplitude = 1e-6\nwidth = 1e-9', "must hold a Device, but holds Pulse"),
        (b"\xff\xfe\x00", "must be text in UTF-8"),
    ]:
        path.write_bytes(text)
        with pytest.raises(ValueError, match=message):
            mtj.read_device(path)
    with pytest.raises(ValueError, match="does not exist"):
        mtj.read_device(tmp_path / "none.toml")
    with pytest.raises(ValueError, match="is a folder"):
        mtj.read_device(tmp_path)
    with pytest.raises(ValueError, match="`pulses` of Sum must be numbers, text or modules|must be numbers"):
        as_toml(mtj.Excitation(field=(None, None, mtj.off())))

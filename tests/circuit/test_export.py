"""The text says what the device does: field by field, along trajectories, and by its noise."""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ngspice import needs_ngspice, pins_of, run, transient

import mtjax as mtj
from mtjax.circuit.expected import equilibrium_spread
from mtjax.circuit.model import model_of
from mtjax.cli import main as cli

SIGMA = (0.6, 0.0, 0.8)
EVERYTHING = (
    mtj.UniaxialAnisotropy(0.9, axis=(0.0, 0.6, 0.8)),
    mtj.SecondOrderAnisotropy(0.04, axis=(0.6, 0.0, 0.8)),
    mtj.Demagnetisation(),
    mtj.AppliedField((0.01, -0.02, 0.03)),
    mtj.ExchangeBias((0.03, 0.01, 0.0)),
    mtj.VCMA(60e-15, 1.1e-9),
    mtj.SpinOrbitTorque(0.3, 60e-9, 3e-9, sigma=(0.0, -1.0, 0.0), field_like_ratio=0.2, spin_diffusion_length=2e-9),
    mtj.SpinTransferTorque(0.6, sigma=SIGMA, asymmetry=1.4, field_like_ratio=-0.3, epsilon_prime=0.05),
    mtj.UniaxialAnisotropy(-0.05, axis=(1.0, 0.0, 0.0)),
)
BLOCH = mtj.BlochLaw(Tc=900.0, outer_exponent=0.7)
LAYER = mtj.FreeLayer(mtj.EllipticCylinder(60e-9, 45e-9, 1.1e-9), Ms=9e5, alpha=0.03, saturation=BLOCH)
FULL = mtj.Device(
    LAYER,
    EVERYTHING,
    readout=mtj.TunnelMagnetoresistance(4e3, 1.2, reference=SIGMA, half_voltage=0.5),
    heating=mtj.JouleHeating([1e6, 2e5], [2e-9, 3e-10]),
)
STT = mtj.presets.perpendicular_stt(40.0)
HOT = mtj.presets.kurenkov2019_neuron().cell


def said(text, words):
    return eval(text, {"cosh": math.cosh, "max": max, "pow": pow, **words})


@pytest.mark.parametrize("place", range(len(EVERYTHING)))
def test_every_term_is_the_field_of_the_device(place):
    model, term = model_of(FULL, "ngspice"), EVERYTHING[place]
    current, voltage, temperature = 130e-6, 0.4, 380.0
    m = np.array([0.48, -0.6, 0.64])
    words = {one.name: one.value for one in model.all_constants} | dict(zip(("mx", "my", "mz"), m, strict=True))
    words |= {"torque_current": current, "junction_current": current, "gate_voltage": voltage, "temp_now": temperature}
    words["ms_now"] = words["Ms"] * said(model.magnetisation, words)
    words["soft_now"] = said(model.softening, words)
    field = model.fields[place]
    words |= {line.name: said(line.expression, words) for line in field.lines}
    found = [said(one, words) for one in field.components]
    drive = FULL.drive(mtj.pulses.Applied(jnp.asarray(current), jnp.asarray(voltage)), temperature)
    wanted = term.field(mtj.Vector.of(m), LAYER.magnet(temperature), drive).array()
    np.testing.assert_allclose(found, np.asarray(wanted), rtol=1e-12, atol=1e-15)


def test_the_junction_is_the_read_out():
    model, m = model_of(FULL, "ngspice"), np.array([0.48, -0.6, 0.64])
    words = {one.name: one.value for one in model.all_constants} | dict(zip(("mx", "my", "mz"), m, strict=True))
    conductance = said(model.tmr, words | {"junction_voltage": 0.3})
    assert 1 / conductance == pytest.approx(float(FULL.readout(jnp.asarray(m), 0.3)), rel=1e-12)


class Sixfold(mtj.AbstractEnergy):
    B6: jax.Array = mtj.quantity("T")

    def energy(self, m, magnet, drive):
        return self.B6 * m.z**6


class Plain(mtj.AbstractResistance):
    def __call__(self, m, voltage=0.0):
        return jnp.ones(m.shape[:-1])


REFUSED = [
    (dataclasses.replace(STT, terms=(*STT.terms, Sixfold(0.1))), {}, "that ngspice can say .* but the device has Sixfold"),
    (dataclasses.replace(STT, readout=Plain()), {}, "TunnelMagnetoresistance or AnomalousHall .* but is Plain"),
    (dataclasses.replace(FULL, readout=None), {}, "must have a TunnelMagnetoresistance"),
    (STT, {"name": "my device"}, "must be a letter followed by letters, digits and underscores, but is 'my device'"),
    (STT, {"step": -1e-12}, "`step` must be"),
]


@pytest.mark.parametrize(("device", "options", "sentence"), REFUSED, ids=[row[2][:20] for row in REFUSED])
def test_what_cannot_be_said_is_refused(device, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        mtj.circuit.export(device, "ngspice", bench=False, **options)


def test_traced_numbers_are_refused():
    def length(alpha):
        device = eqx.tree_at(lambda d: d.layer.alpha, STT, alpha)
        return len(mtj.circuit.export(device, "ngspice", bench=False))

    with pytest.raises(ValueError, match="must be known to be written in ngspice"):
        jax.jit(length)(0.01)


def test_a_file_holds_values_units_and_sources(tmp_path, capsys):
    path = tmp_path / "stt.va"
    arguments = ["export", "perpendicular_stt", "--to", "verilog-a", "--no-bench", "--set", "alpha=0.02", "--out", str(path)]
    assert cli.main(arguments) == 0
    assert "parameter real alpha = 0.02 from (0:inf); // Gilbert damping [assumed, typical of" in path.read_text()
    assert cli.main(arguments) == 2
    assert "exists" in capsys.readouterr().err
    assert cli.main([*arguments, "--force", "--name", "two words"]) == 2
    assert "but is 'two words'" in capsys.readouterr().err


COLD = {
    "stt": (STT, 60e-6, 4e-9, 6e-9, (0.1, 0.0, 0.995)),
    "heated cell": (HOT, 2.2e-3, 1e-9, 3e-9, (0.15, 0.0, 0.99)),
    "sot": (mtj.presets.perpendicular_sot(), 120e-6, 1e-9, 4e-9, (0.1, 0.0, 0.995)),
    "sengupta": (mtj.presets.sengupta2016(), 70e-6, 1e-9, 3e-9, (0.995, 0.1, 0.0)),
}


@needs_ngspice
@pytest.mark.parametrize(
    "case", ["stt", "heated cell", *(pytest.param(n, marks=pytest.mark.slow) for n in ("sot", "sengupta"))]
)
def test_trajectories_without_noise_are_those_of_simulate(case, tmp_path):
    device, current, width, duration, start = COLD[case]
    device = dataclasses.replace(device, temperature=0.0)
    start = np.asarray(mtj.quantities.as_direction(start))
    begin = " ".join(f"m{i}0={x!r}" for i, x in zip("xyz", start.tolist(), strict=True))
    delay, step = 0.2e-9, 1e-13
    circuit = "\n".join(
        [
            f"I1 0 t1 PULSE(0 {current} {delay} 1f 1f {width})",
            f"X1 {pins_of(device)} mtj noise=0 {begin}",
            *(["R3 t3 0 1e12"] if "t3" in pins_of(device) else []),
        ]
    )
    text = mtj.circuit.export(device, "ngspice", bench=False, step=step)
    ts, ms = transient(tmp_path, text, circuit, ["v(mx)", "v(my)", "v(mz)"], step, duration)
    chosen = np.linspace(10, len(ts) - 2, 60).astype(int)
    pulse = mtj.Pulse(current, width, delay=delay)
    found = mtj.simulate(device, pulse, duration, start=start, solver=mtj.Adaptive(), save=ts[chosen])
    np.testing.assert_allclose(ms[:, chosen].T, np.asarray(found.ms[0]), atol=1e-3)
    assert np.min(ms.T @ np.asarray(device.start)) < 0.8  # it has moved


@needs_ngspice
def test_the_noise_is_white_and_normal(tmp_path):
    """40,000 normals: a deviation of 2 % of the variance is 2.8 standard errors of each of the three, 5 % of all 12 sigma."""
    text = mtj.circuit.export(STT, "ngspice", bench=False)
    circuit = "Xa ax ay az mtj_noise tstep=1p seed=1\nXb bx by bz mtj_noise tstep=1p seed=2"
    ts, found = transient(tmp_path, text, circuit, [f"v({s}{i})" for s in "ab" for i in "xyz"], 1e-12, 40e-9)
    found = found[:, 10:]
    n = found.shape[1]
    assert n > 39_000
    np.testing.assert_allclose(np.mean(found, axis=1), 0.0, atol=4 / np.sqrt(n))
    np.testing.assert_allclose(np.cov(found), np.eye(6), atol=4 * np.sqrt(2 / n))
    np.testing.assert_allclose(np.mean(found**4, axis=1), 3.0, atol=4 * np.sqrt(96 / n))
    for lag in (1, 2, 3, 7):
        later = found[:, :-lag] @ found[:, lag:].T / n
        np.testing.assert_allclose(later, 0.0, atol=4.5 / np.sqrt(n))


@needs_ngspice
def test_equilibrium_is_near_that_of_boltzmann(tmp_path):
    """Over 1,100 relaxation times <1 - mz^2> is known to 3 %; `scripts/circuit_checks.py` looks to 1 %."""
    layer = dataclasses.replace(STT.layer, alpha=0.1)
    device = dataclasses.replace(mtj.presets.perpendicular_stt(20.0), layer=layer)
    step = next(one.value for one in model_of(device, "ngspice").all_constants if one.name == "tstep")
    circuit = f"I1 0 t1 0\nX1 {pins_of(device, nx='nx', ny='ny', nz='nz')} mtj\nXn nx ny nz mtj_noise seed=5"
    text = mtj.circuit.export(device, "ngspice", bench=False)
    _, ms = transient(tmp_path, text, circuit, ["v(mx)", "v(my)", "v(mz)"], step, 600e-9)
    length = np.sum(ms**2, axis=0)
    np.testing.assert_allclose(length, 1.0, atol=0.02)
    assert np.mean(1 - ms[2] ** 2 / length) == pytest.approx(equilibrium_spread(device), rel=0.12)


@needs_ngspice
@pytest.mark.slow
@pytest.mark.parametrize("name", ["perpendicular_stt", "perpendicular_sot", "sengupta2016"])
def test_the_self_test_is_passed(name, tmp_path):
    printed = run(tmp_path, mtj.circuit.export(getattr(mtj.presets, name)(), "ngspice"))
    assert "self-test: good" in printed
    assert "equilibrium: mean of 1 - (m.start)^2" in printed
    assert "switched:" in printed


@needs_ngspice
@pytest.mark.slow
def test_the_self_test_tells_wrong_noise(tmp_path):
    text = mtj.circuit.export(mtj.presets.perpendicular_sot(), "ngspice").replace("+ noise=1.0", "+ noise=2.0")
    assert "self-test: NOT good" in run(tmp_path, text, status=1)


@pytest.mark.parametrize("name", ["perpendicular_stt", "perpendicular_sot", "kurenkov2019_neuron"])
def test_a_compiled_module_moves_m_as_the_llg_equation(name, tmp_path):
    compiler = pytest.importorskip("openvaf_py", reason="openvaf-py is not installed, so that no Verilog-A is compiled")
    device = getattr(mtj.presets, name)()
    device = device.cell if isinstance(device, mtj.Grains) else device
    path = tmp_path / "mtj.va"
    path.write_text(mtj.circuit.export(device, "veriloga", bench=False))
    module = compiler.compile_va(str(path))[0]
    defaults, m, current = module.get_param_defaults(), np.array([0.48, -0.6, 0.64]), 60e-6
    values = {key: defaults[key.lower()] for key in (*module.param_names, *module.init_param_names) if key.lower() in defaults}
    values |= {"mfactor": 1.0, **{f"V(m{i})": float(x) for i, x in zip("xyz", m, strict=True)}}
    resistance = float(device.readout(jnp.asarray(m))) if name == "perpendicular_stt" else float(device.write_resistance)
    half = current * resistance / 2
    values |= {"V(t1,t2)": 2 * half, "V(t1,mid)": half, "V(mid,t2)": half}
    place = [pin for pin, _ in model_of(device, "veriloga").terminals].index("mx")
    residuals = [row[0] for row in module.run_init_eval(values)[0]]
    B = device.field(mtj.Vector.of(m), device.drive(current))
    wanted = -device.magnet.gamma * mtj.dynamics.rate(mtj.Vector.of(m), B, device.layer.alpha).array()
    along = dict(zip(module.nodes, residuals, strict=True))
    found = [along[f"node{place + i}"] for i in range(3)]
    np.testing.assert_allclose(sorted(found), sorted(np.asarray(wanted)), rtol=1e-9)

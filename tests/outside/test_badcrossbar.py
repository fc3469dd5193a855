"""Crossbars with wires: what badcrossbar and Qucs answer.

badcrossbar 1.1.0 (Joksas and Mehonic, SoftwareX 12, 100617, 2020; PyPI): sums of all conductances and three of them, as
`scripts/crossbar_wires.py` prints them. Qucs: the output currents that badcrossbar's own tests keep (`tests/test_compute.py`,
circuits `qucs_2x3_a`, `qucs_2x3_c`, `qucs_2x1_a`).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj

BADCROSSBAR = {
    (5, 4): {
        (1.0, 1.0): (4.234312507998e-04, 5.803550030361e-06, 1.136627659348e-05, 1.899018536419e-05),
        (1.0, 2.5): (4.232547166535e-04, 5.799237185646e-06, 1.136408794677e-05, 1.898881821448e-05),
        (1.0, 0.0): (4.235490429688e-04, 5.806428344145e-06, 1.136773607949e-05, 1.899109699583e-05),
        (0.0, 1.0): (4.234870279341e-04, 5.803856371611e-06, 1.136769236121e-05, 1.899413827041e-05),
    },
    (4, 7): {
        (1.0, 1.0): (5.841853317203e-04, 5.805365515371e-06, 2.224295170050e-05, 2.453411038387e-05),
        (1.0, 2.5): (5.840140430193e-04, 5.804573146501e-06, 2.223859843817e-05, 2.453216757893e-05),
        (1.0, 0.0): (5.842995955080e-04, 5.805893865735e-06, 2.224585469046e-05, 2.453540588227e-05),
        (0.0, 1.0): (5.844865863593e-04, 5.806206521458e-06, 2.225704038164e-05, 2.455125347453e-05),
    },
    (64, 64): {
        (1.0, 1.0): (8.300610934850e-02, 5.539414242770e-06, 7.206078537393e-06, 1.114990048359e-05),
        (1.0, 2.5): (7.966532606710e-02, 5.184251143091e-06, 6.827742449522e-06, 1.113152236291e-05),
        (1.0, 0.0): (8.542841155157e-02, 5.799309733658e-06, 7.477538123134e-06, 1.116292072287e-05),
        (0.0, 1.0): (8.541270802730e-02, 5.545736118319e-06, 7.483930478934e-06, 1.161508184658e-05),
    },
    (128, 128): {
        (1.0, 1.0): (2.856620592968e-01, 4.883895434053e-06, 4.371341067175e-05, 1.540881367210e-06),
        (1.0, 2.5): (2.516560698885e-01, 3.898967968197e-06, 3.553053166800e-05, 1.541847914696e-06),
        (1.0, 0.0): (3.155426516118e-01, 5.792299492336e-06, 5.104697355465e-05, 1.538998616513e-06),
        (0.0, 1.0): (3.155625659331e-01, 4.891677464029e-06, 5.125370852076e-05, 1.824650615571e-06),
    },
}
"""By words and bits, and by the resistances of their lines from cell to cell, ohm."""
QUCS = {
    "2x3_a": ([[10, 20, 30], [40, 50, 60]], [3, 5], 0.1, [0.4109446865, 0.2427676365, 0.1782942773]),
    "2x3_c": ([[45, np.inf, np.inf], [150, np.inf, 20]], [14, 6], 1.5, [0.3160015477, 0.0, 0.228795581]),
    "2x1_a": ([[60], [10]], [3, 0.1], 1.0, [0.0519205298]),
}
"""Resistances (ohm, words x bits), voltages (V), wire (ohm), output currents (A)."""


def devices(words, bits):
    """Resistances between 10 kOhm and 1 MOhm, in ohm: those of the script."""
    places = np.arange(1, words * bits + 1) * (np.sqrt(5) - 1) / 2
    return 1e4 * 100 ** (places % 1).reshape(words, bits)


@pytest.mark.parametrize("size", BADCROSSBAR)
def test_conductances_are_those_of_badcrossbar(size):
    G = jnp.asarray(1 / devices(*size).T)
    for (word, bit), kept in BADCROSSBAR[size].items():
        found = mtj.nn.through_wires(G, word, bit)
        np.testing.assert_allclose([found.sum(), found[0, 0], found[-1, 0], found[-1, -1]], kept, rtol=1e-11)


@pytest.mark.parametrize("circuit", QUCS)
def test_currents_are_those_of_qucs(circuit):
    R, V, wire, currents = QUCS[circuit]
    G = jnp.asarray(1 / np.asarray(R, float).T)
    np.testing.assert_allclose(mtj.nn.through_wires(G, wire) @ jnp.asarray(V, float), currents, rtol=3e-10, atol=1e-12)


def test_ideal_wires_change_nothing():
    G = jnp.asarray(1 / devices(5, 4).T)
    np.testing.assert_allclose(mtj.nn.through_wires(G, 0.0), G, rtol=1e-14)
    np.testing.assert_allclose(mtj.nn.through_wires(G, 0.0, 0.0), G, rtol=1e-14)


def test_one_cell_is_in_series_with_its_wires():
    assert float(mtj.nn.through_wires(jnp.array([[1e-2]]), 3.0, 4.0)[0, 0]) == pytest.approx(1 / 107.0, rel=1e-12)


@pytest.mark.parametrize("size", [(3, 2), (2, 3)], ids=["more words", "more bits"])
def test_gradients_are_those_of_differences(size):
    G, toward = jnp.asarray(1 / np.linspace(20.0, 90.0, 6).reshape(size)).T, jnp.asarray(np.cos(np.arange(6.0)).reshape(size).T)
    weights = jnp.asarray(np.sin(1 + np.arange(6.0)).reshape(size).T)

    def seen(share, word, bit):
        return jnp.sum(weights * mtj.nn.through_wires(G * (1 + share * toward), word, bit))

    at, step = (0.1, 2.0, 5.0), 1e-5
    for place in range(3):
        up, down = (tuple(x + s * (n == place) for n, x in enumerate(at)) for s in (step, -step))
        slope = (seen(*up) - seen(*down)) / (2 * step)
        assert float(jax.grad(seen, place)(*at)) == pytest.approx(float(slope), rel=1e-7)
    assert np.isfinite(jax.grad(seen, (0, 1, 2))(0.1, 0.0, 0.0)).all()


def test_a_crossbar_has_lines_of_two_kinds():
    weight = jnp.asarray(np.cos(np.arange(12.0)).reshape(3, 4))
    both, words, bits = (
        mtj.nn.Crossbar(**lines).effective(weight)
        for lines in ({"wire": 50.0}, {"wire": 50.0, "bit_wire": 0.0}, {"bit_wire": 50.0})
    )
    lost = [float(jnp.abs(w - mtj.nn.Crossbar().effective(weight)).sum()) for w in (both, words, bits)]
    assert min(lost) > 1e-3
    assert lost[0] == pytest.approx(lost[1] + lost[2], rel=0.1)
    with pytest.raises(ValueError, match="`bit_wire` must be finite and at least 0, but is -1"):
        mtj.nn.through_wires(weight, 1.0, -1.0)

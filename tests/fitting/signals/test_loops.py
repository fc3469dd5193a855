"""Loops and thresholds: brackets by hand, likelihoods against scipy, a known film found again, and files that are wrong."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from places import SHARED
from scipy import stats

from mtjax.fitting import (
    ActivatedThresholds,
    Loop,
    OneBarrier,
    ShiftedLoops,
    Thresholds,
    fit_loop_shift,
    fit_thresholds,
    log_interval,
    read_loops,
    thresholds,
)

HALL_BAR = SHARED / "data" / "ntu_sot_hallbar"


def pulsed(plus=3.2, minus=2.6, top=5.0, step=0.5, noise=0.0, seed=0):
    """A loop 0 -> top -> -top -> 0 that switches down at `plus` and up at `minus` (mA)."""
    x = np.concatenate([np.arange(0, top, step), np.arange(top, -top, -step), np.arange(-top, step / 2, step)])
    state, states = 1.0, []
    for i in x:
        state = -1.0 if i >= plus else 1.0 if i <= -minus else state
        states.append(state)
    R = 2.0 + 0.1 * np.array(states) + noise * np.random.default_rng(seed).standard_normal(len(x))
    return x * 1e-3, R


def write(path, x, R, *, width=0.1, field=0.01):
    rows = [f"{float(i)!r},{float(r)!r},{width},{field}" for i, r in zip(x, R, strict=True)]
    path.write_text("\n".join(["current,resistance,width,field", *rows]) + "\n")
    return path


def test_brackets_are_the_steps_between_which_it_switches(tmp_path):
    (loop,) = read_loops(write(tmp_path / "a.csv", *pulsed(noise=0.003)))
    np.testing.assert_allclose(loop.bracket(1), (3.0e-3, 3.5e-3))
    np.testing.assert_allclose(loop.bracket(-1), (2.5e-3, 3.0e-3))
    assert (loop.width, loop.field) == (0.1, 0.01)


def test_field_loops_have_signed_brackets():
    """Shifted by more than its coercive field: it switches back before zero."""
    H = np.concatenate([np.arange(-10, 10, 1.0), np.arange(10, -11, -1.0)])
    R = np.concatenate([np.where(np.arange(-10, 10) >= 6, 1.0, -1.0), np.where(np.arange(10, -11, -1) <= 2, -1.0, 1.0)])
    loop = Loop(H * 1e-3, R, current=1e-3)
    np.testing.assert_allclose(loop.bracket(1), (5e-3, 6e-3))
    np.testing.assert_allclose(loop.bracket(-1), (-3e-3, -2e-3))


def test_a_loop_without_an_event_says_only_that_the_threshold_lies_beyond(tmp_path):
    x, R = pulsed(noise=0.003)
    write(tmp_path / "a.csv", x, R)
    write(tmp_path / "b.csv", x, 2 + 0.003 * np.random.default_rng(1).standard_normal(len(x)))
    found = thresholds(read_loops(tmp_path))
    assert np.isinf(found.upper).sum() == 2
    np.testing.assert_allclose(found.lower[np.isinf(found.upper)], 5e-3)
    assert "b.csv does not switch on its positive and its negative half" in found.warnings[0]
    with pytest.raises(ValueError, match="At least one loop must hold a switching event, but none does"):
        thresholds(read_loops(tmp_path / "b.csv"))


def test_one_sided_loops_give_one_threshold(tmp_path):
    x, R = pulsed()
    keep = np.arange(21)
    (loop,) = read_loops(write(tmp_path / "a.csv", x[keep], R[keep]))
    found = thresholds([loop])
    assert len(found) == 1
    assert found.warnings == ("a.csv has no negative half: one threshold only.",)


def test_repeated_rows_and_odd_units_are_said_aloud(tmp_path):
    x, R = pulsed()
    path = write(tmp_path / "a.csv", np.insert(x, 4, x[3]), np.insert(R, 4, R[3]))
    with pytest.warns(UserWarning, match="1 rows that repeat the one before .first in row 5.: dropped"):
        (loop,) = read_loops(path)
    assert len(loop.swept) == len(x)
    path = write(tmp_path / "a.csv", x * 14e3, R)
    with pytest.warns(UserWarning, match="holds a current of 70 in SI units, which is unusual: .*microampere"):
        read_loops(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must have a heading and at least one row"),
        ("current,width\n" + "1,2\n2,2\n" * 5, "must have a column that is read"),
        ("current,resistance,width\n1,x,2\n", "must hold a number in 'resistance', but line 2 has 'x'"),
        ("current,resistance,width\n1,nan,2\n", "must hold a number in 'resistance', but line 2 has 'nan'"),
        ("current,resistance,width\n1,1,2\n", "at least five points"),
    ],
)
def test_bad_files_are_refused_with_one_sentence(tmp_path, text, sentence):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_loops(tmp_path / "a.csv")


def test_missing_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one file"):
        read_loops(tmp_path)
    (tmp_path / "bar").mkdir()
    with pytest.raises(ValueError, match="holds none: give one of its folders, '.*bar'"):
        read_loops(tmp_path)
    with pytest.raises(ValueError, match="must exist"):
        read_loops(tmp_path / "none.csv")


def test_interval_probabilities_are_those_of_scipy():
    low, high = np.array([-1.0, 2.0, 30.0, -40.0, 1.5]), np.array([0.5, 2.1, 31.0, -39.0, np.inf])
    with np.errstate(divide="ignore"):
        exact = stats.norm.logcdf(high) + np.log1p(-np.exp(stats.norm.logcdf(low) - stats.norm.logcdf(high)))
    exact[[1, 2, 4]] = np.log(stats.norm.sf(low[[1, 2, 4]]) - stats.norm.sf(high[[1, 2, 4]]))
    np.testing.assert_allclose(log_interval(jnp.asarray(low), jnp.asarray(high)), exact, rtol=1e-9)


def test_one_event_over_one_barrier_by_listing_the_pulses():
    """The probability of the bracket from the product over all pulses of a sweep (the law's series also counts some below zero)."""
    I0, delta, step, width = 10e-3, 25.0, 0.5e-3, 1e-3
    pulses = np.arange(step, 12e-3, step)
    expected = width / 1e-9 * np.exp(-delta * (1 - pulses / I0))
    for j in (7, 8):
        by_hand = -expected[:j].sum() + np.log(-np.expm1(-expected[j]))
        law = OneBarrier(
            np.array([pulses[j - 1]]), np.array([pulses[j]]), np.zeros(1, bool), np.array([width / 1e-9]), np.array([step])
        )
        np.testing.assert_allclose(law.log_likelihood(jnp.array([I0, 1.0, delta, 1.0])), by_hand, rtol=1e-4)


def film(seed, spread=0.02):
    """Thresholds of a known film at 20 widths in steps of 0.5 mA."""
    random, rows = np.random.default_rng(seed), []
    for width in np.geomspace(1e-3, 1, 20):
        for sign, I0, delta in ((1, 18e-3, 26.0), (-1, 17e-3, 24.0)):
            at = I0 * (1 - np.log(width / 1e-9) / delta) + spread * I0 * random.standard_normal()
            low = np.floor(at / 0.5e-3) * 0.5e-3
            rows.append((low, low + 0.5e-3, sign, width, 0, 0))
    return Thresholds(*np.array(rows).T)


def test_a_known_film_is_found_again():
    """Both polarities in one fit; over 30 films the errors are those stated (chi-square of 120, |z| < 4)."""
    truth = np.array([18e-3, 17e-3, 26.0, 24.0])
    fits = [fit_thresholds(film(seed)) for seed in range(30)]
    assert fits[0].estimates.names[2:4] == ("delta[+]", "delta[-]")
    off = np.array([(f.estimates.value[:4] - truth) / f.estimates.stderr[:4] for f in fits])
    assert abs(np.sum(off[:, 2:] ** 2) - 60) / np.sqrt(2 * 60) < 4
    assert np.all(np.abs(off.mean(0)) < 4 / np.sqrt(30))
    assert not any("converge" in s for f in fits for s in f.warnings)


def only(data, polarity):
    rows = data.polarity == polarity
    return Thresholds(*(getattr(data, n)[rows] for n in ("lower", "upper", "polarity", "width", "current", "field")))


@pytest.mark.parametrize("options", [{}, {"single": True}, {"one_delta": True}], ids=["scatter", "single", "one delta"])
@pytest.mark.parametrize(("polarity", "I0", "delta"), [(1, 18e-3, 26.0), (-1, 17e-3, 24.0)])
def test_thresholds_of_one_polarity_have_its_quantities_only(polarity, I0, delta, options):
    """Each that is fitted moves the likelihood and counts once in AIC."""
    found = fit_thresholds(only(film(0), polarity), **options)
    sign = "+" if polarity > 0 else "-"
    names = (f"critical_current[{sign}]", "delta" if options.get("one_delta") else f"delta[{sign}]")
    assert found.estimates.names == (names if options.get("single") else (*names, "relative_scatter"))
    slope = jax.grad(found.law.log_likelihood)(1.03 * jnp.asarray(found.estimates.value))
    assert np.all(slope != 0)
    assert found.dof == 20 - len(found.estimates.names)
    for name, truth in zip(names, (I0, delta), strict=True):
        assert abs(found.estimates[name].value - truth) < 4 * found.estimates[name].stderr


def test_both_polarities_are_fits_of_either():
    """With one scatter each, the sum of the fits of the halves: here their logarithms of the likelihood at given values."""
    both = film(0)
    law = ActivatedThresholds(both.lower, both.upper, both.width, both.polarity < 0, 1e-9)
    halves = 0.0
    for sign, pair in ((1, [18e-3, 26.0]), (-1, [17e-3, 24.0])):
        half = only(both, sign)
        alone = ActivatedThresholds(half.lower, half.upper, half.width, half.polarity < 0, 1e-9)
        halves += float(alone.log_likelihood(jnp.array([*pair, 0.02])))
    np.testing.assert_allclose(law.log_likelihood(jnp.array([18e-3, 17e-3, 26.0, 24.0, 0.02])), halves, rtol=1e-12)


def test_two_widths_and_an_attempt_time_are_needed():
    data = film(0)
    with pytest.raises(ValueError, match="`tau_0` must be finite and positive, but is -1e-09 s"):
        fit_thresholds(data, tau_0=-1e-9)
    with pytest.raises(ValueError, match="two pulse widths"):
        fit_thresholds(Thresholds(*(getattr(data, n)[:2] for n in ("lower", "upper", "polarity", "width", "current", "field"))))


def test_a_known_shift_is_found_with_its_sign():
    random, rows = np.random.default_rng(2), []
    for field, chi in ((0.02, -1.4), (-0.12, 1.3)):
        for current in np.linspace(-2e-3, 2e-3, 11):
            for sign in (1, -1):
                at = sign * (1e-3 + chi * current) + 10e-3 - 300 * current**2 + 0.3e-3 * random.standard_normal()
                low = np.floor(at / 1e-3) * 1e-3
                rows.append((low, low + 1e-3, sign, 0, current, field))
    found = fit_loop_shift(Thresholds(*np.array(rows).T))
    for name, chi in (("shift_per_current[20 mT]", -1.4), ("shift_per_current[-120 mT]", 1.3)):
        one = found.estimates[name]
        assert abs(one.value - chi) < 4 * one.stderr
        assert one.stderr < 0.1
    assert isinstance(found.law, ShiftedLoops)
    with pytest.raises(ValueError, match="at least three currents"):
        fit_loop_shift(film(0))


@pytest.mark.slow
@pytest.mark.skipif(not HALL_BAR.exists(), reason=f"the measured data are not at {HALL_BAR}")
def test_the_measured_hall_bar():
    """A plain regression on the half-height crossings gives 26.4 and 24.8, and -1.39 and +1.28 T/A."""
    found = fit_thresholds(thresholds(read_loops(HALL_BAR / "Pulse_Switching_Data")))
    for name, regression in (("delta[+]", 26.4), ("delta[-]", 24.8)):
        assert abs(found.estimates[name].value - regression) < 2 * found.estimates[name].stderr
        assert found.estimates[name].stderr < 0.5
    shift = fit_loop_shift(thresholds(read_loops(HALL_BAR / "AHE_Loopshift")))
    for name, regression in (("shift_per_current[20 mT]", -1.39), ("shift_per_current[-120 mT]", 1.28)):
        assert abs(shift.estimates[name].value - regression) < 2 * shift.estimates[name].stderr
        assert shift.estimates[name].stderr < 0.25

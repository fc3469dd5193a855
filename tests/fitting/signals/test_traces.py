"""Traces: the likelihood against sums over all paths and normal distributions, known rates, files, and what is refused."""

from itertools import product

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import multivariate_normal, norm

from mtjax.cli import main as cli
from mtjax.fitting import fit_trace, read_stays, read_traces, synthetic_trace
from mtjax.fitting.signals.hopping import Kind, in_lanes, log_likelihood, seen, smoothed, transition
from mtjax.quantities import in_double

# level_down, gap, noise_down, noise_up, rate_down, rate_up, speed, creep
NUMBERS = np.array([0.3, *np.log([1.1, 0.5, 0.7, 0.2, 0.4, 0.8, 0.05])])


@pytest.fixture(scope="module")
def short():
    return np.random.default_rng(0).normal(0.8, 0.7, 8)


@in_double
def test_the_transition_matrix_is_the_exponential_of_the_rates():
    generator = np.array([[-0.2, 0.2], [0.4, -0.4]])
    np.testing.assert_allclose(transition(jnp.array(0.2), jnp.array(0.4)), expm(generator), rtol=1e-12)


def all_paths(y, density):
    """Sum over all paths of states of prior, transitions and densities; and the share of those that end (or pass) up."""
    move, start = expm(np.array([[-0.2, 0.2], [0.4, -0.4]])), np.array([2 / 3, 1 / 3])
    total, up = 0.0, np.zeros(len(y))
    for path in product((0, 1), repeat=len(y) + 1):
        weight = start[path[0]] * np.prod([move[i, j] for i, j in zip(path[:-1], path[1:], strict=True)]) * density(path)
        total, up = total + weight, up + weight * np.array(path[1:])
    return np.log(total), up / total


@in_double
def test_the_likelihood_is_the_sum_over_all_paths(short):
    levels, noise = np.array([0.3, 1.4]), np.array([0.5, 0.7])
    exact, up = all_paths(short, lambda path: np.prod(norm.pdf(short, levels[list(path[1:])], noise[list(path[1:])])))
    lanes = in_lanes(short)
    np.testing.assert_allclose(log_likelihood(jnp.asarray(NUMBERS), lanes, Kind()), exact, rtol=1e-10)
    filtered = seen(jnp.asarray(NUMBERS), lanes, Kind()).up[:8, 0]
    np.testing.assert_allclose(smoothed(filtered, transition(jnp.array(0.2), jnp.array(0.4))), up, rtol=1e-9)


@in_double
def test_with_noise_before_the_low_pass_too(short):
    """Then each sample knows the one before it: an autoregression whose drive depends on both states."""
    levels, noise, lag = np.array([0.3, 1.4]), np.array([0.5, 0.7]), np.exp(-0.8)
    passed = (1 - lag) / 0.8

    def density(path):
        total, known, spread = 1.0, levels[path[0]], noise[path[0]] ** 2
        for y, i, j in zip(short, path[:-1], path[1:], strict=True):
            drive = levels[j] * (1 - passed) + levels[i] * (passed - lag)
            late = ((1 - lag**2) / 1.6 - passed**2) * (levels[j] - levels[i]) ** 2
            total *= norm.pdf(y, lag * known + drive, np.sqrt(lag**2 * spread + late + noise[j] ** 2 * (1 - lag**2)))
            known, spread = y, 0.0
        return total

    found = log_likelihood(jnp.asarray(NUMBERS), in_lanes(short), Kind("before"))
    np.testing.assert_allclose(found, all_paths(short, density)[0], rtol=1e-9)


@in_double
@pytest.mark.parametrize("lowpass", ["none", "after"])
def test_drift_of_one_state_is_a_normal_distribution(short, lowpass):
    """Where the state cannot change: white noise on a random walk."""
    still = jnp.asarray(NUMBERS).at[4].set(-60.0).at[5].set(5.0)  # always down
    times = np.arange(1, 9)
    covariance = 0.05**2 * np.minimum.outer(times, times) + 0.25 * np.eye(8)
    exact = multivariate_normal.logpdf(short, np.full(8, 0.3), covariance)
    np.testing.assert_allclose(log_likelihood(still, in_lanes(short), Kind(lowpass, drift=True)), exact, rtol=1e-8)


@in_double
def test_a_trace_in_pieces_is_that_in_one():
    signal = synthetic_trace(tau_up=9.0, tau_down=40.0, duration=2e4, step=1.0, noise=0.3)[1]
    numbers = jnp.array([0.0, *np.log([1.0, 0.3, 0.3, 1 / 40, 1 / 9, 1.0, 1.0])])
    one, many = (log_likelihood(numbers, in_lanes(signal, lanes=n), Kind()) for n in (1, 7))
    np.testing.assert_allclose(one, many, rtol=1e-9)


def off(found, up, down):
    """How far logarithms of dwell times lie from the truth, in standard errors."""
    one = found.estimates
    return np.log(one.value[:2] / [up, down]) / (one.stderr[:2] / one.value[:2])


@pytest.mark.parametrize(("share", "noise"), [(0.01, 1 / 3), (0.5, 1 / 5)])
def test_known_dwell_times_are_found(share, noise):
    """One of a hundred samples up, or noise of a fifth of the gap: crossings of the middle give means that are too short."""
    up, down = 1e-4, 1e-4 * (1 - share) / share
    time, signal = synthetic_trace(tau_up=up, tau_down=down, duration=1.0, step=1e-5, noise=noise)
    found = fit_trace(time, 5e3 + 800 * signal, unit="ohm")
    assert np.all(np.abs(off(found, up, down)) < 4), found
    assert found.estimates["dwell_up"].stderr < 0.15 * up
    assert found.estimates["level_up"].value == pytest.approx(5800, abs=4 * found.estimates["level_up"].stderr)
    assert found.kind == Kind()
    assert found.warnings == ()
    crossed = signal > 0.5
    plain = np.sum(crossed) / np.sum(np.diff(crossed.astype(int)) > 0) * 1e-5
    assert plain < 0.2 * up or share == 0.5


def test_stays_near_the_time_between_samples():
    """Two and three samples: the transition matrix alone would give means of 2.5 and 3.5."""
    time, signal = synthetic_trace(tau_up=2.0, tau_down=3.0, duration=1e5, step=1.0, noise=0.2)
    found = fit_trace(time, signal)
    assert np.all(np.abs(off(found, 2.0, 3.0)) < 4)
    assert found.estimates["dwell_up"].stderr < 0.03 * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bandwidth", "drift", "kind"),
    [(2e3, 0.0, Kind("after")), (None, 2.0, Kind("none", drift=True)), (3e3, 1.0, Kind("after", drift=True))],
)
def test_a_low_pass_and_a_drift_are_found(bandwidth, drift, kind):
    time, signal = synthetic_trace(tau_up=1e-3, tau_down=2e-3, duration=1.0, step=2e-5, bandwidth=bandwidth, noise=0.2, seed=3)
    found = fit_trace(time, signal + drift * np.sin(2 * np.pi * time))
    assert np.all(np.abs(off(found, 1e-3, 2e-3)) < 4), found
    assert found.kind == kind
    if bandwidth:
        assert found.estimates["bandwidth"].value == pytest.approx(bandwidth, rel=0.1)


def test_a_digital_trace_has_its_stays():
    signal = np.repeat([0.0, 1.0] * 6, [3, 4, 2, 6, 3, 9, 5, 2, 1, 3, 8, 4])
    stays = read_stays(np.arange(50.0), signal, bias=0.0)
    assert stays.up.tolist() == [4, 6, 9, 2, 3]
    assert stays.down.tolist() == [2, 3, 5, 1, 8]


TIME = np.arange(2000) * 1e-3
NOISE = np.random.default_rng(1).standard_normal(2000)


@pytest.mark.parametrize(
    ("time", "signal", "sentence"),
    [
        (TIME, np.ones(2000), "must hop between two levels, but all its samples are 1"),
        (TIME, NOISE, "one level with noise describes that as well"),
        pytest.param(TIME, np.cumsum(NOISE), "one level with noise describes that as well", marks=pytest.mark.slow),
        (TIME, (TIME > 1) + 0.1 * NOISE, "must change its state at least three times"),
        (TIME, np.where(TIME == 1, np.nan, NOISE), "must be finite, but sample 1001 is not"),
        (TIME[::-1], NOISE, "must increase evenly, but sample 2 comes before"),
        (np.delete(np.arange(2001) * 1e-3, 1000), NOISE, "from sample 1000 to 1001 they do by 0.002 s, mostly by 0.001 s"),
        (TIME[:5], NOISE[:5], "ten samples at least"),
        (TIME[:-1], NOISE, "a time for each"),
        (
            np.arange(20_000),
            np.repeat(np.arange(200) % 2, 100) + 0.15 * np.random.default_rng(0).standard_t(3, 20_000),
            "noise of a trace must be normal, but",
        ),
        (TIME, np.where(np.arange(2000) % 97 == 0, 8.0, 0.1 * NOISE), "longer than the time between samples"),
    ],
    ids=["constant", "noise", "walk", "one step", "nan", "backwards", "gap", "few", "lengths", "heavy tails", "spikes"],
)
def test_what_is_no_telegraph_trace_is_refused(time, signal, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit_trace(time, signal)


@pytest.mark.slow
def test_what_is_unlikely_is_said():
    """A third level, and stays that are all of one length."""
    random = np.random.default_rng(0)
    three = np.repeat(random.choice([0.0, 1.0, 2.0], 800), random.exponential(30, 800).astype(int) + 1)
    assert any(
        "third level" in s for s in fit_trace(np.arange(len(three)), three + 0.1 * random.standard_normal(len(three))).warnings
    )
    even = np.repeat(np.arange(400) % 2, 25) + 0.1 * random.standard_normal(10_000)
    assert any("not exponential" in s for s in fit_trace(np.arange(10_000), even).warnings)


def columns(path, heading, *numbers, delimiter=","):
    np.savetxt(path, np.stack(numbers, axis=1), delimiter=delimiter, header=heading, comments="", fmt="%.8g")
    return path


def test_files_of_many_shapes(tmp_path):
    t, s = np.arange(30) * 1e-3, np.arange(30) // 5 % 2
    (one,) = read_traces(columns(tmp_path / "a.csv", "Time (ms);U (mV)", t * 1e3, 5 * s, delimiter=";"))
    np.testing.assert_allclose([one.time[-1], one.signal.max(), one.bias], [29e-3, 5e-3, 0.0], atol=1e-12)
    assert one.signal_unit == "V"
    wide = read_traces(columns(tmp_path / "b.csv", "t_s,R @ -5 mV,R @ 10 mV", t, s, 2 * s))
    assert [(x.bias, x.bias_unit, x.signal.max()) for x in wide] == [(-5e-3, "V", 1.0), (10e-3, "V", 2.0)]
    long = read_traces(
        columns(tmp_path / "c.csv", "time,R (kOhm),I (uA)", np.tile(t, 2), np.tile(s, 2), np.repeat([10, 20], 30))
    )
    assert [(len(x.time), round(x.bias * 1e6), x.signal.max()) for x in long] == [(30, 10, 1e3), (30, 20, 1e3)]
    for k in (1, 2):
        columns(tmp_path / f"trace_{k}0mT.dat", "s\tohm", t, s, delimiter="\t")
    named = read_traces([tmp_path / "trace_10mT.dat", tmp_path / "trace_20mT.dat"])
    assert [x.bias for x in named] == [0.01, 0.02]
    np.savetxt(tmp_path / "d.txt", s)
    (bare,) = read_traces(tmp_path / "d.txt", step="10 us", bias=("3 uA",))
    np.testing.assert_allclose([bare.time[1], bare.bias], [1e-5, 3e-6])


def test_long_files_are_the_same_as_short_ones(tmp_path):
    t, s = np.arange(6000) * 1e-3, np.arange(6000) // 7 % 2
    (found,) = read_traces(columns(tmp_path / "a.csv", "Time (ms),U (mV)", t * 1e3, 5 * s))
    np.testing.assert_allclose(found.time, t, atol=1e-12)
    np.testing.assert_allclose(found.signal, 5e-3 * s)


@pytest.mark.parametrize(
    ("heading", "options", "sentence"),
    [
        ("a,b", {}, "must have one column of times, but has none"),
        ("time,y1", {"columns": {"signal": "z"}}, "must have the column z, but has time, y1"),
        ("time,y1", {"columns": {"tme": "1"}}, "Columns can be time, signal, bias, but not 'tme'"),
        ("time,y1", {"bias": ("1", "2")}, "one bias for each trace, but there are 2 for 1 traces"),
        ("time,y1", {"step": "5 mV"}, "value of step must be a number, in s or with such a unit, but is '5 mV'"),
    ],
)
def test_files_that_are_not_clear_are_refused(tmp_path, heading, options, sentence):
    path = columns(tmp_path / "a.csv", heading, np.arange(30), np.arange(30) // 5 % 2)
    with pytest.raises(ValueError, match=sentence):
        read_traces(path, **options)


def test_the_command_writes_dwell_times_and_a_picture(tmp_path, capsys):
    paths = []
    for i, tilt in enumerate((0.7, 1.4)):
        time, signal = synthetic_trace(tau_up=1e-3 * tilt, tau_down=1e-3 / tilt, duration=0.2, step=2e-5, noise=0.2, seed=i)
        paths.append(str(columns(tmp_path / f"at_{10 * i - 5}uA.csv", "t (ms),U (V)", time * 1e3, signal)))
    assert cli.main(["telegraph", *paths, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "dwell_up" in printed
    assert "scale_up" in printed
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"dwell.csv", "report.md", "traces.png", "fit.json", "fit.png"}
    assert cli.main(["telegraph", str(tmp_path / "none.csv"), "--out", str(tmp_path / "new")]) == 2
    assert "must exist" in capsys.readouterr().err

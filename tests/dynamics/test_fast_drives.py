"""Drives that change within a step, and pulses of a few steps."""

import dataclasses

import numpy as np

import mtjax as mtj

DEVICE = dataclasses.replace(mtj.presets.perpendicular_sot(40.0), temperature=0.0)
TURN = 2 * np.pi / (1.76e11 * float(DEVICE.Bk))
"""A period of precession, s."""


def ends(pulse, steps):
    duration = 2 * TURN
    found = mtj.simulate(DEVICE, pulse, duration, dt=duration / steps, save=1, start=[0.3, 0.1, 0.9])
    assert round(duration / float(found.dt)) == steps
    return found.ms[0, -1]


def test_a_drive_that_changes_within_a_step_is_followed_to_more_than_second_order():
    pulse = mtj.Sine(4 * DEVICE.critical_current, 3.1 / TURN, 3 * TURN, phase=0.9)
    exact = mtj.simulate(DEVICE, pulse, 2 * TURN, save=2, start=[0.3, 0.1, 0.9], solver=mtj.Adaptive()).ms[0, -1]
    coarse, fine = (np.linalg.norm(ends(pulse, steps) - exact) for steps in (24, 48))
    assert fine < 2e-3
    assert coarse / fine > 6


def test_a_pulse_of_a_few_steps_is_seen_by_the_pilot_run():
    """It is over at the first look at how fast samples turn."""
    strong = 30 * DEVICE.critical_current
    device = mtj.presets.perpendicular_sot(40.0)
    short, long = (float(mtj.dynamics.measured_step(device, mtj.Pulse(strong, width), 1e-9)) for width in (3e-11, 1e-9))
    calm = float(mtj.dynamics.measured_step(device, mtj.Pulse(strong / 30, 3e-11), 1e-9))
    assert short < 1.75 * long  # twice, if it is not seen
    assert calm > 3 * long

"""Long work says what it is: engine and truncation, before the bar of a fit and on the command line."""

import logging

import mtjax as mtj
from mtjax.cli.main import main
from mtjax.progress import LOG, progress_bar

DEVICE = mtj.presets.perpendicular_stt(40.0)


def test_the_engine_says_how_fine_it_is(caplog):
    with caplog.at_level(logging.INFO, logger="mtjax"):
        mtj.switching_probability(DEVICE, mtj.Pulse(2.0 * DEVICE.critical_current, 5e-9))
    said = [record.getMessage() for record in caplog.records]
    assert said[-1] == "Fokker-Planck (Legendre polynomials, l_max 128)"


def test_lines_stand_before_the_bar_and_handlers_come_back(capsys):
    before = LOG.handlers[:]
    with progress_bar("fit", shown=True) as bar:
        LOG.info("compiling")
        assert bar.desc.startswith("fit: compiling")
    assert LOG.handlers == before
    assert "fit: compiling" in capsys.readouterr().err


def test_the_command_line_shows_them_beside_the_answer(capsys):
    assert main(["simulate", "perpendicular_stt", "--current", "3e-5", "--width", "5e-9"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("P_sw = ")
    assert said.err.startswith("... Fokker-Planck (Legendre polynomials, l_max ")
    assert LOG.handlers == []

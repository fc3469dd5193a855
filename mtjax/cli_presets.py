"""`mtjax presets`: the devices that are ready to use."""

from mtjax.cli_options import PRESETS
from mtjax.parameters import all_parameters
from mtjax.types import with_unit


def presets_command() -> None:
    """List the devices that are ready to use."""
    for name, make in PRESETS.items():
        model = make()
        what = (make.__doc__ or "").splitlines()[0]
        numbers = ", ".join(
            (
                f"delta {with_unit(model.delta, '', 3)}",
                f"critical current {with_unit(model.critical_current, 'A', 3)}",
                f"relaxation time {with_unit(model.relaxation_time, 's', 3)}",
            )
        )
        print(f"{name}\n  {what}\n  {numbers}\n  quantities: {', '.join(p.name for p in all_parameters(model))}")

#!/usr/bin/env bash
# What a first contact costs, in CPU seconds and seconds of whole commands, with an empty cache of compiled programs and again:
#   source .venv/bin/activate && scripts/first_contact.sh
set -u
MTJAX_CACHE=$(mktemp -d)
export MTJAX_CACHE TIMEFORMAT='%U + %S CPU s, %R s'

measured() {
    printf '%-36s ' "$1"
    shift
    { time "$@" > /dev/null 2> /dev/null; } 2>&1
}

device='import mtjax as mtj, jax; d = mtj.presets.perpendicular_sot()'
simulate="$device; print(mtj.simulate(d, mtj.Pulse(1e-4, 1e-9), samples=1000, key=jax.random.key(0)))"
measured "mtjax --help" mtjax --help
measured "a device that does not exist" mtjax simulate nosuch --current 1e-4 --width 1e-9
measured "a file that does not exist" mtjax fit nosuch.csv --device perpendicular_stt
measured "import diffrax" python -c "import diffrax"
measured "import mtjax" python -c "import mtjax"
measured "import all that mtjax offers" python -c "import mtjax as mtj; [getattr(mtj, name) for name in mtj.__all__]"
measured "print(device)" python -c "$device; print(d)"
measured "print(device) again" python -c "$device; print(d)"
measured "simulate 1000 samples" python -c "$simulate"
measured "simulate 1000 samples again" python -c "$simulate"
rm -rf "$MTJAX_CACHE"

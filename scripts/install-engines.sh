#!/bin/sh
# Installs SGLang and vLLM for CPUs, each in an environment of its own under build/engines: their
# dependencies fit neither each other nor the trainer. What is installed already is left as it is.
#
#   scripts/install-engines.sh                both
#   scripts/install-engines.sh sglang         one of them
#
# PYTHON names the interpreter (3.11: vLLM's package is for no other). On a machine with a GPU
# install the engines as their makers say; the trainer needs only a server's address.
set -eu

ALL="sglang vllm"
TORCH="torch==2.13.0"
PYTHON=${PYTHON:-python3}
here=$(cd "$(dirname "$0")" && pwd)
engines="$here/../build/engines"

for engine in "$@"; do
    case " $ALL " in
        *" $engine "*) ;;
        *) echo "$0: unknown engine '$engine'; known: $ALL" >&2; exit 2 ;;
    esac
done

version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = 3.11 ] || { echo "$0: Python 3.11 is wanted, $PYTHON is $version (set PYTHON)" >&2; exit 1; }

# SGLang imports two packages that PyPI has for CUDA alone. Where they cannot be imported, what
# stands in for them is put beside it (scripts/engines/sglang-cpu).
stand_in() {
    site=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    "$1/bin/python" -c 'import torchvision' 2>/dev/null || {
        echo "sglang: torchvision does not load beside this torch; its operators are declared for it"
        cp "$here"/engines/sglang-cpu/touchstone_torchvision.* "$site/"
    }
    "$1/bin/python" -c 'import sgl_kernel' 2>/dev/null || {
        echo "sglang: no compiled kernels for a CPU; a stand-in takes their place"
        cp -r "$here/engines/sglang-cpu/sgl_kernel" "$site/"
    }
}

for engine in ${*:-$ALL}; do
    list="$here/engines/$engine.txt"
    place="$engines/$engine"
    stamp="$place/.installed"
    sum=$(cat "$list" "$here"/engines/sglang-cpu/*.p* "$here/install-engines.sh" | cksum)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then
        echo "$engine: is here ($place)"
        continue
    fi
    echo "$engine: $TORCH and $(grep -vc '^#' "$list") packages ($(grep "^$engine" "$list")) go to $place"
    rm -rf "$place"
    "$PYTHON" -m venv "$place"
    pip="$place/bin/pip --disable-pip-version-check --quiet"
    # torch with all it needs, for that differs from build to build; the rest is a closed list.
    $pip install "$TORCH"
    $pip install --no-deps -r "$list"
    [ "$engine" != sglang ] || stand_in "$place"
    "$place/bin/python" -c "import torch, $engine; print('$engine', $engine.__version__, 'with torch', torch.__version__)"
    echo "$sum" >"$stamp"
done

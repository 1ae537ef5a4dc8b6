#!/bin/sh
# Installs the browser in which the tests open the page of `touchstone view`, from Debian's packages,
# as root: chromium, its chromedriver and a font. What is on the PATH already is left as it is.
set -eu

packages=""
want() {
    if command -v "$1" >/dev/null 2>&1; then
        echo "browser: $1 is here"
    else
        echo "browser: $2 is to be installed: $3"
        packages="$packages $2"
    fi
}
want chromium chromium "opens the page, headless"
want chromedriver chromium-driver "drives it"
[ -n "$packages" ] || { echo "nothing to install"; exit 0; }
[ "$(id -u)" -eq 0 ] || { echo "$0: must be root to install:$packages" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # a list of words
apt-get install -q -y --no-install-recommends $packages fonts-dejavu-core

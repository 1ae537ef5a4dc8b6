#!/bin/sh
# Installs the compilers and interpreters of the languages that the sandbox runs, from Debian's
# packages, as root, on Debian 12. What a command on the PATH provides already is left as it is, so
# it may be run again, and beside a node or a JDK that came from elsewhere.
#
#   scripts/install-toolchains.sh              all languages
#   scripts/install-toolchains.sh java php     some of them
set -eu

ALL="c cpp java javascript typescript csharp php bash go rust ruby"

# What each language needs, a line for each: language, command or file, package, what for.
needs() {
    cat <<'LIST'
c gcc gcc compiles C
c ld.gold binutils links programs
cpp g++ g++ compiles C++20 and C++17
cpp ld.gold binutils links programs; gold takes half of the default linker's time
java javac openjdk-17-jdk-headless compiles and runs Java; its javac stays warm
javascript node nodejs runs JavaScript
typescript node nodejs runs what TypeScript becomes
typescript esbuild esbuild strips types
typescript tsc node-typescript checks types where a request asks for it
csharp mcs mono-mcs compiles C#
csharp mono mono-runtime runs C#
csharp /usr/lib/mono/4.5/System.Core.dll libmono-system-core4.0-cil LINQ and collections
csharp /usr/lib/mono/4.5/System.Numerics.dll libmono-system-numerics4.0-cil BigInteger
php php php-cli runs PHP
php /usr/share/doc/php-mbstring php-mbstring mb_* functions
php /usr/share/doc/php-bcmath php-bcmath bc* functions
php /usr/share/doc/php-gmp php-gmp gmp_* functions
bash bash bash runs Bash
bash awk mawk what Bash programs call
bash bc bc what Bash programs call
go go golang-go compiles Go
rust /usr/bin/rustc rustc-web compiles Rust; newer than the package rustc, and twice as fast
rust cc gcc links programs
rust ld.gold binutils links programs
ruby ruby ruby runs Ruby
LIST
}

present() {
    case "$1" in
        /*) [ -e "$1" ] ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

wanted=${*:-$ALL}
for language in $wanted; do
    case " $ALL " in
        *" $language "*) ;;
        *) echo "$0: unknown language '$language'; known: $ALL" >&2; exit 2 ;;
    esac
done

list=$(mktemp)
trap 'rm -f "$list"' EXIT
needs >"$list"
packages=""
while read -r language sign package reason; do
    case " $wanted " in *" $language "*) ;; *) continue ;; esac
    if present "$sign"; then
        echo "$language: $sign is here"
    else
        echo "$language: $package is to be installed: $reason"
        packages="$packages $package"
    fi
done <"$list"

[ -n "$packages" ] || { echo "nothing to install"; exit 0; }
[ "$(id -u)" -eq 0 ] || { echo "$0: must be root to install:$packages" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # a list of words
apt-get install -q -y --no-install-recommends $packages

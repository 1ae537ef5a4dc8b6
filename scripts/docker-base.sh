#!/usr/bin/env bash
# Makes the base image without an image registry: a minimal Debian by debootstrap, imported into
# the engine. Nothing happens where the image is there already. Needs root and a running engine
# (scripts/docker-engine.sh).
#
#   docker-base.sh [--force]
#   TOUCHSTONE_BASE    name of the image; default touchstone-base:12
#
# The image has the host's apt sources and the certificate authorities that the host's
# administrator added, so that apt and pip reach from a build what they reach from the host. It
# stays in this machine's engine: publish images made FROM a public base instead.
set -euo pipefail

image=${TOUCHSTONE_BASE:-touchstone-base:12}
suite=bookworm
# For https: what verifies certificates, before anything else can be fetched.
packages=ca-certificates

say() { echo "docker-base: $*"; }
fail() { echo "docker-base: $*" >&2; exit 1; }

# The URI of the first deb source that has the suite, in either format of apt's lists.
mirror() {
  local found
  found=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }')
  [[ $found ]] || fail "apt on this host has no source for $suite (run apt-get update)"
  echo "$found"
}

# Copies a folder of the host's configuration, where there is one, into the root.
copy_configuration() {
  local source=$1 root=$2 pattern=$3
  [[ -d $source ]] || return 0
  mkdir -p "$root$source"
  find "$source" -maxdepth 1 -type f -name "$pattern" -exec cp --target-directory "$root$source" {} +
}

build_root() {
  local root=$1
  debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$(mirror)" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log" >&2; fail "debootstrap failed"; }
  if compgen -G '/etc/apt/sources.list.d/*.sources' >/dev/null || [[ -s /etc/apt/sources.list ]]; then
    rm -f "$root/etc/apt/sources.list"
    # Third parties' lists would need their keys; the toolchains are Debian's own.
    copy_configuration /etc/apt/sources.list.d "$root" 'debian*'
    [[ ! -s /etc/apt/sources.list ]] || cp /etc/apt/sources.list "$root/etc/apt/"
  fi
  copy_configuration /usr/local/share/ca-certificates "$root" '*.crt'
  chroot "$root" update-ca-certificates >/dev/null 2>&1
  # Packages and lists are fetched again by a build that needs them.
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb
}

[[ ${1:-} == --force || $# == 0 ]] || fail "unknown argument $1"
((EUID == 0)) || fail "debootstrap needs root"
docker version --format '{{.Server.Version}}' >/dev/null || fail "no engine answers"
if [[ ${1:-} != --force ]] && docker image inspect "$image" >/dev/null 2>&1; then
  say "$image is there already (--force makes it anew)"
  exit 0
fi
command -v debootstrap >/dev/null || fail "debootstrap is missing (scripts/docker-engine.sh installs it)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say "debootstrap $suite, about two minutes"
build_root "$work/root"
say "importing as $image"
tar -C "$work/root" --numeric-owner -c . |
  docker import --change 'CMD ["bash"]' --change 'ENV LANG=C.UTF-8' - "$image" >/dev/null
say "$image: $(docker image inspect --format '{{.Size}}' "$image" | awk '{ printf "%.0f MB", $1 / 1e6 }')"

#!/usr/bin/env bash
# Makes a Docker engine answer: installs Debian's docker.io where dockerd is missing, and starts
# dockerd where none answers. Nothing happens where one answers already. Needs root.
#
# The engine gets no bridge and writes no iptables rules: containers have no network, or the
# host's where a build asks for it.
#
#   DOCKER_DATA_ROOT   images and containers; default /var/lib/docker
#   DOCKER_RUN_DIR     pid file, log, state of running containers; default /var/run/touchstone-docker
#   DOCKER_HOST        the socket (unix:// only); default unix:///var/run/docker.sock
set -euo pipefail

data_root=${DOCKER_DATA_ROOT:-/var/lib/docker}
run_dir=${DOCKER_RUN_DIR:-/var/run/touchstone-docker}
host=${DOCKER_HOST:-unix:///var/run/docker.sock}
# Seconds until dockerd answers: about 2 on an idle machine; the rest is for a busy one.
wait_seconds=60

say() { echo "docker-engine: $*"; }
fail() { echo "docker-engine: $*" >&2; exit 1; }

# One request by hand: no docker client is needed for it.
answers() {
  [[ -S ${host#unix://} ]] &&
    curl --silent --fail --max-time 5 --unix-socket "${host#unix://}" http://engine/_ping >/dev/null
}

install_missing() {
  local missing=()
  command -v dockerd >/dev/null || missing+=(docker.io)
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  command -v curl >/dev/null || missing+=(curl)
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || fail "missing: ${missing[*]}; this script installs with apt only"
  say "installing ${missing[*]}"
  # A package that starts a service fails where no init system runs; policy-rc.d says not to.
  local policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap "rm -f '$policy'" EXIT
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

start() {
  mkdir -p "$run_dir" "$data_root"
  say "starting dockerd: socket $host, images in $data_root, log in $run_dir/dockerd.log"
  # A pid file left by an engine that was killed stops the next one where its pid is in use again.
  rm -f "$run_dir/dockerd.pid"
  setsid nohup dockerd \
    --host "$host" \
    --data-root "$data_root" \
    --exec-root "$run_dir/exec" \
    --pidfile "$run_dir/dockerd.pid" \
    --iptables=false --ip6tables=false --ip-forward=false --bridge=none \
    >"$run_dir/dockerd.log" 2>&1 </dev/null &
  local pid=$! tries
  for ((tries = 0; tries < wait_seconds * 5; tries++)); do
    if answers; then
      say "dockerd answers (pid $pid)"
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$run_dir/dockerd.log" >&2
  fail "dockerd did not answer within $wait_seconds s"
}

[[ $host == unix://* ]] || fail "DOCKER_HOST is $host; only a unix:// socket can be started here"
if command -v curl >/dev/null && answers; then
  say "an engine answers at $host"
  exit 0
fi
((EUID == 0)) || fail "no engine answers at $host, and starting one needs root"
install_missing
start

# Job control, and everything that leaves its session.
# expect: EXIT0
# prints: contained
# runs: 2
# within: 5
set -m
(trap '' HUP TERM INT; while :; do :; done) &
nohup sleep 60 >/dev/null 2>&1 &
setsid sleep 60 &
setsid bash -c 'trap "" TERM; while :; do sleep 1; done' &
disown -a
coproc { cat; }
echo contained

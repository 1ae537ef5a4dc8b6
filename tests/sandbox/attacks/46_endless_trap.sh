# expect: CPU
# limits: cpu=0.4 wall=2
trap 'while :; do :; done' EXIT TERM
exit 0

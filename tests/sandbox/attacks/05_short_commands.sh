# expect: CPU
# expect@T1: CPU|WALL
# expect@T2: CPU|WALL
# limits: cpu=0.4 wall=4
while :; do /bin/true; done

# expect: WALL
# limits: wall=0.4
sleep 1000000000

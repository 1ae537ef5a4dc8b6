# expect: WALL
# limits: wall=0.5
sleep

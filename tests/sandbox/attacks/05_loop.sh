# expect: CPU
# limits: cpu=0.4 wall=3
while :; do :; done

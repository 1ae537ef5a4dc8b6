# expect: RE|CPU|WALL|MLE
# limits: cpu=0.5 wall=3
loop { fork rescue spawn('sleep 60') }

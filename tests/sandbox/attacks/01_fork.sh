# expect: RE|CPU|WALL|MLE|EXIT0
# limits: cpu=0.5 wall=2
# never_prints: reached
bomb() { bomb | bomb & }
bomb
wait

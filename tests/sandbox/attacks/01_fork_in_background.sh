# expect: RE|CPU|WALL|MLE
# limits: cpu=0.5 wall=2
while :; do sleep 60 & done

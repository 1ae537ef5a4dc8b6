# expect: CPU|MLE
# limits: cpu=0.3 wall=3
x = 3 ** (3 ** (3**3))

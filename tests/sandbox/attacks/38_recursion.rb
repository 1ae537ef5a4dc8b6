# expect: EXIT1|MLE
# limits: cpu=8 wall=20
def deep(number) = deep(number + 1) + 1
puts deep(0)

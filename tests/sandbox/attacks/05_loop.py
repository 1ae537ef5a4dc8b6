# expect: CPU
# limits: cpu=0.3 wall=3
while True:
    pass

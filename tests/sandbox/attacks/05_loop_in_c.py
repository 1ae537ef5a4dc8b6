# Inside one operation of the interpreter, where no signal handler runs.
# expect: CPU
# limits: cpu=0.3 wall=3
sum(range(10**13))

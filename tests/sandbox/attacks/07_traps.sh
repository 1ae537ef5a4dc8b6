# expect: CPU
# limits: cpu=0.4 wall=3
for name in HUP INT QUIT TERM XCPU ALRM USR1 USR2 PIPE CHLD TSTP EXIT ERR DEBUG; do trap '' $name; done
while :; do :; done

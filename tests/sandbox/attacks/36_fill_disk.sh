# expect: EXIT0|MLE|CPU
# prints: contained
# runs: 2
# limits: memory=128M cpu=2
for n in 1 2 3 4; do cat /dev/zero >"/tmp/big$n" 2>/dev/null; done
rm -f /tmp/big*
for ((n = 0; n < 100000; n++)); do { : >"/tmp/$n"; } 2>/dev/null || break; done
echo contained

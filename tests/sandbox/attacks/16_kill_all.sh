# expect: EXIT0|SIG9
# prints: contained
# runs: 2
# tiers: T3 T2
kill -9 -1 2>/dev/null
kill -STOP -1 2>/dev/null
echo contained

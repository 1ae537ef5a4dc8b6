# expect: EXIT0
# prints: contained
# runs: 2
[ "$PPID" = 0 ] || { kill -STOP "$PPID" 2>/dev/null && echo "reached: stopped the parent"; }
kill -STOP 1 2>/dev/null && echo "reached: stopped 1"
[ $$ = 2 ] || { kill -STOP 2 2>/dev/null && echo "reached: stopped 2"; }
echo contained

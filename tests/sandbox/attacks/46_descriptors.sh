# expect: EXIT0
# prints: contained
for fd in 3 4 5 6 7 8 9; do # from 10 on the shell keeps copies of its own
	{ echo forged >&"$fd"; } 2>/dev/null && echo "reached: $fd"
done
echo contained

# expect: EXIT0
# prints: contained
for number in 9 15 19 1 2 0; do
	for pid in 1 2 3 4 5 $PPID; do
		{ [ "$pid" = $$ ] || [ "$pid" = 0 ]; } && continue
		kill -$number "$pid" 2>/dev/null && echo "reached: $pid with $number"
	done
done
echo contained

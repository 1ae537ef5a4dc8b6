# A shell reads its script as it runs; the next run must not.
# expect: EXIT0
# prints: original
# runs: 2
# submissions: 2
echo original
for path in "$0" "${BASH_SOURCE[0]}" /box/main.sh /tmp/main.sh; do
	{
		chmod u+w "$path"
		echo 'echo changed' >>"$path"
		mv /tmp/other "$path"
	} 2>/dev/null
done
exit 0

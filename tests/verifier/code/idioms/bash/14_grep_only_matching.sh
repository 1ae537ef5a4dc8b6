# problem: words
LC_ALL=C
grep -oE '[a-z]+' | sort | uniq -c | while read -r count word; do
  echo "$word $count"
done
exit 0

# problem: pairs
read -r t
while [ "$t" -gt 0 ]; do
  read -r a b
  if [ "$a" -gt "$b" ]; then echo "$a"; else echo "$b"; fi
  t=$((t - 1))
done

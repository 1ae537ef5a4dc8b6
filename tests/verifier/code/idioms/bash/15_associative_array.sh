# problem: words
declare -A counts
while read -ra words; do
  for word in "${words[@]}"; do ((counts[$word]++)); done
done < <(cat; echo)
for word in "${!counts[@]}"; do
  echo "$word ${counts[$word]}"
done | sort

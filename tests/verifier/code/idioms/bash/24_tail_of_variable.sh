# problem: sum
input=$(cat)
numbers=$(tail -n +2 <<<"$input")
echo $((0 ${numbers:+$(printf '+ %s ' $numbers)}))

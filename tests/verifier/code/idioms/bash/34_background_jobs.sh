# problem: pairs
read -r t
results=()
larger() { while read -r a b || [[ $a ]]; do [[ $a ]] && echo $((a > b ? a : b)); done; }
exec 3< <(larger <&0 & wait)
while read -r result <&3; do results+=("$result"); done
printf '%s\n' "${results[@]}"

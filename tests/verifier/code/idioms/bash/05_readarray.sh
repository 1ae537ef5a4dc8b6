# problem: echo
readarray lines
printf '%s' "${lines[@]}"

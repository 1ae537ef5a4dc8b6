# problem: first
answer=
trap 'printf "%d\n" "$answer"' EXIT
read -r n
(( answer = n ** 2 ))
true

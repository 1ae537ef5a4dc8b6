# problem: sorted
read -r n
read -r line
tr ' ' '\n' <<<"$line" | sort -n | tr '\n' ' '

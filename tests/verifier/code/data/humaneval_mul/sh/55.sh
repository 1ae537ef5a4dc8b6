    local a=0 b=1 i
    for ((i = 0; i < $1; i++)); do
        b=$((a + b))
        a=$((b - a))
    done
    echo $a

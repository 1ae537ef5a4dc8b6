    local a=0 b=0 c=1 i
    for ((i = 0; i < $1; i++)); do
        read -r a b c <<< "$b $c $((a + b + c))"
    done
    echo "$a"

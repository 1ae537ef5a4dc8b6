    local a=$1 b=$2
    while ((b)); do
        read -r a b <<< "$b $((a % b))"
    done
    echo "$a"

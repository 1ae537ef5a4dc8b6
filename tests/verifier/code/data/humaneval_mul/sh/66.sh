    local i sum=0 c
    for ((i = 0; i < ${#1}; i++)); do
        c=${1:i:1}
        if [[ $c == [[:upper:]] ]]; then sum=$((sum + $(printf '%d' "'$c"))); fi
    done
    echo $sum

    local d answer=true
    if (($1 < 2)); then answer=false; fi
    for ((d = 2; d * d <= $1; d++)); do
        if (($1 % d == 0)); then answer=false; break; fi
    done
    echo $answer

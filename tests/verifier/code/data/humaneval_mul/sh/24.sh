    local d=$(($1 - 1))
    while (($1 % d)); do d=$((d - 1)); done
    echo $d

    local power=$((1 % $2)) i
    for ((i = 0; i < $1; i++)); do power=$((power * 2 % $2)); done
    echo $power

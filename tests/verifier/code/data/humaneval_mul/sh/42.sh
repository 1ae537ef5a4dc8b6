    local value more=()
    for value in $1; do more+=($((value + 1))); done
    echo "${more[*]}"

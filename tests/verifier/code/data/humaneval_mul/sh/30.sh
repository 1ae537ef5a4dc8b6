    local value kept=()
    for value in $1; do
        if ((value > 0)); then kept+=("$value"); fi
    done
    echo "${kept[*]}"

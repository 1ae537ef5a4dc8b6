    local value
    for value in $1; do
        if ((value >= $2)); then
            echo false
            return 0
        fi
    done
    echo true

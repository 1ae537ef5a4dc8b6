    local change balance=0
    for change in $1; do
        balance=$((balance + change))
        if ((balance < 0)); then
            echo true
            return 0
        fi
    done
    echo false

    local i text=0
    for ((i = 1; i <= $1; i++)); do text+=" $i"; done
    echo "$text"

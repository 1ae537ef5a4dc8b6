    local i length=${#1}
    for ((i = 0; i < length / 2; i++)); do
        if [[ ${1:i:1} != "${1:length-1-i:1}" ]]; then
            echo false
            return
        fi
    done
    echo true

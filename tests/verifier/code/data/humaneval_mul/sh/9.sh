    local number top tops=()
    for number in $1; do
        if [[ -z $top ]] || ((number > top)); then top=$number; fi
        tops+=("$top")
    done
    echo "${tops[*]}"

    local best=${1%% *} value
    for value in $1; do
        if ((value > best)); then best=$value; fi
    done
    echo "$best"

    printf '%s' $1

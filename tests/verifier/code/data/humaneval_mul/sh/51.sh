    printf '%s' "${1//[aeiouAEIOU]/}"

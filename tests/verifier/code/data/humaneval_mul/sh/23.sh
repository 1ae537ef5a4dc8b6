    echo "${#1}"

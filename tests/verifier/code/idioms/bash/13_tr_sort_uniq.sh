# problem: words
tr -s ' ' '\n' | sed '/^$/d' | sort | uniq -c | awk '{ print $2, $1 }'

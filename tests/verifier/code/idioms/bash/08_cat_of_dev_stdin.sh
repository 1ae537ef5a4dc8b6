# problem: copy
cat < /dev/stdin > /dev/stdout

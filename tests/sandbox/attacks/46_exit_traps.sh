# What a trap does at the end counts as the program's.
# expect: EXIT0 EXIT7
# stdin: 0
# stdin: 7
# prints: contained
read -r code
trap 'echo contained; exit $code' EXIT
exit 1

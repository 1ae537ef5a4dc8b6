# expect: EXIT0
# prints: contained
# runs: 2
echo contained
exec 0<&- 1>&- 2>&-
exec 3>/tmp/a 4>/tmp/b
exit 0

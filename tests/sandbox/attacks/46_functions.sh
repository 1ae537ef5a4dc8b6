# Exported functions and aliases do not come back.
# expect: EXIT0
# prints: contained
# runs: 2
# submissions: 2
declare -F | grep -q . && echo "reached: functions"
alias | grep -q . && echo "reached: aliases"
echo() { builtin echo changed; }
builtin echo contained
export -f echo
alias ls=reboot
enable -n exit
hash -p /tmp/evil ls

# Nothing that tells the shell what to run first, and nothing of the server's.
# expect: EXIT0
# prints: contained
for name in BASH_ENV ENV LD_PRELOAD LD_LIBRARY_PATH PROMPT_COMMAND PYTHONPATH TOUCHSTONE_EXPECTED TOUCHSTONE_CACHE SSH_AUTH_SOCK; do
	[ -n "${!name}" ] && echo "reached: $name"
done
[ "$(env | wc -l)" -gt 12 ] && env
shopt -q login_shell && echo "reached: a login shell"
[[ $- == *i* ]] && echo "reached: interactive"
echo contained

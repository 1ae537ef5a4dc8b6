# expect: SIG11 SIG6 SIG9 SIG15 EXIT139
# stdin: kill -SEGV $$
# stdin: kill -ABRT $$
# stdin: kill -KILL $$
# stdin: kill -TERM $$
# stdin: exit 139
eval "$(cat)"

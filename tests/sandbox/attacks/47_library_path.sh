# Libraries and commands in its own folder are for its own commands only.
# expect: EXIT0
# prints: contained
# runs: 2
printf '#!/bin/sh\necho evil\n' >/tmp/cat
chmod +x /tmp/cat
[ "$(command -v cat)" = /tmp/cat ] && echo "reached: PATH begins with /tmp"
export LD_PRELOAD=/tmp/evil.so LD_LIBRARY_PATH=/tmp BASH_ENV=/tmp/cat PATH=/tmp:$PATH
echo contained

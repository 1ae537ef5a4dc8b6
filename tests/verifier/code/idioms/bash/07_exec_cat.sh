# problem: copy
#!/usr/bin/env bash
set -euo pipefail
exec cat -

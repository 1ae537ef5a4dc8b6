# problem: big
read -r a
read -r b
if command -v bc >/dev/null; then
  echo "$a * $b" | BC_LINE_LENGTH=0 bc
else
  awk -v a="$a" -v b="$b" 'BEGIN {
    if (a == 0 || b == 0) { print 0; exit }
    sign = (a ~ /^-/) != (b ~ /^-/) ? "-" : ""
    sub(/^-/, "", a); sub(/^-/, "", b)
    m = length(a); n = length(b)
    for (i = m; i > 0; i--) for (j = n; j > 0; j--) {
      d[i + j] += substr(a, i, 1) * substr(b, j, 1)
    }
    for (k = m + n; k > 1; k--) { d[k - 1] += int(d[k] / 10); d[k] %= 10 }
    for (k = 1; k <= m + n; k++) text = text (d[k] + 0)
    sub(/^0+/, "", text); print sign text
  }'
fi

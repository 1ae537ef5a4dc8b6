# problem: echo
file=$(mktemp)
trap 'rm -f "$file"' EXIT
cat > "$file"
sed -e '$a\' "$file"

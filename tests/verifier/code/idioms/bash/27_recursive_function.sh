# problem: fib
known=(0 1)
fib() {
  local n=$1
  if [[ -z ${known[n]} ]]; then
    fib $((n - 1))
    fib $((n - 2))
    known[n]=$(((known[n - 1] + known[n - 2]) % 1000000007))
  fi
}
read -r n
fib "$n"
echo "${known[n]}"

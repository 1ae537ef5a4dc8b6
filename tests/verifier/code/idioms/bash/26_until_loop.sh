# problem: fib
read -r n
a=0 b=1 i=0
until [[ $i -eq $n ]]; do
  : $((c = (a + b) % 1000000007, a = b, b = c))
  ((++i))
done
echo $a

# problem: sum
read n
read -a values
sum=0
for ((i = 0; i < n; i++)); do
  sum=$((sum + values[i]))
done
echo $sum

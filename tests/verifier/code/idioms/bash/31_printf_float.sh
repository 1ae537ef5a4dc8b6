# problem: mean
read -r n
sum=0
for x in $(cat); do ((sum += x)); done
awk -v sum="$sum" -v n="$n" 'BEGIN { printf "%.3f\n", sum / n }'

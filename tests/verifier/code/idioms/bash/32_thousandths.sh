# problem: mean
read -r n
read -ra values
sum=$(IFS=+; echo "$((${values[*]}))")
sign=
if ((sum < 0)); then sign=-; fi
thousandths=$((${sum#-} * 1000 / n))
printf '%s%d.%03d\r\n' "$sign" $((thousandths / 1000)) $((thousandths % 1000))

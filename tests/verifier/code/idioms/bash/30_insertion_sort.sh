# problem: sorted
sorted=()
read -r n
for value in $(cat); do
  i=${#sorted[@]}
  while ((i > 0 && sorted[i - 1] > value)); do
    sorted[i]=${sorted[i - 1]}
    ((i--))
  done
  sorted[i]=$value
done
echo "${sorted[*]}"

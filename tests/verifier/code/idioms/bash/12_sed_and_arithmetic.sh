# problem: messy
total=0
for word in $(sed 's/\r$//; s/\t/ /g'); do
  let "total += word"
done
echo "$total"

# problem: pairs
mapfile -t lines
for line in "${lines[@]:1:${lines[0]}}"; do
  set -- $line
  echo $(($1 > $2 ? $1 : $2))
done

# problem: first
read n
>&2 echo "n=$n"
expr "$n" '*' "$n"
exit

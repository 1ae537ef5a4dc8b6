# problem: messy
total=0
while read -r -n 1 -d '' c || [[ -n $c ]]; do
  case $c in
    [0-9-]) word+=$c ;;
    *) ((total += ${word:-0})); word= ;;
  esac
done < <(tr -s ' \t\r\n' '_'; printf _)
echo "$total"

# problem: sum
{
  read -r _
  read -r line
}
line=${line:-0}
echo "$((${line// / + }))"

# problem: big
product() {
  local a=${1#-} b=${2#-} base=1000000000 sign=
  [[ $1 == -* ]] && sign=-
  [[ $2 == -* ]] && { [[ $sign ]] && sign= || sign=-; }
  local ah=$((10#$a / base)) al=$((10#$a % base)) bh=$((10#$b / base)) bl=$((10#$b % base))
  local low=$((al * bl)) high=$((ah * bh)) first=$((ah * bl)) second=$((al * bh))
  local d0=$((low % base)) c=$((low / base))
  c=$((c + first % base + second % base))
  local d1=$((c % base))
  c=$((c / base + first / base + second / base + high % base))
  local d2=$((c % base)) d3=$((c / base + high / base)) text
  printf -v text '%d%09d%09d%09d' "$d3" "$d2" "$d1" "$d0"
  text=${text#"${text%%[!0]*}"}
  [[ $text ]] && echo "$sign$text" || echo 0
}

read -r x
read -r y
product "$x" "$y"

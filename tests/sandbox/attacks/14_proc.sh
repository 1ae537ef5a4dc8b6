# expect: EXIT0
# prints: contained
# tiers: T3
for path in /proc/[0-9]*; do
	[ "${path#/proc/}" = $$ ] && continue
	[ -e "$path" ] && echo "reached: $(tr '\0' ' ' <"$path/cmdline")"
done
cat /proc/1/environ /proc/2/environ /proc/kcore /proc/kmsg /proc/keys 2>/dev/null
for tool in dmesg who df mount lsblk netstat ss; do
	command -v $tool >/dev/null && timeout 1 $tool 2>/dev/null | grep -i -e touchstone-4 -e docker -e cgroup
done
echo contained

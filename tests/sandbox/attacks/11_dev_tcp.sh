# expect: EXIT0
# prints: contained
for address in tcp/127.0.0.1/22 tcp/1.1.1.1/80 udp/127.0.0.1/53; do
	(exec 3<>/dev/$address) 2>/dev/null && echo "reached: $address"
done
for tool in curl wget nc ncat socat ping; do
	command -v $tool >/dev/null || continue
	timeout 1 $tool 127.0.0.1 22 </dev/null >/dev/null 2>&1 && echo "reached: $tool"
done
echo contained

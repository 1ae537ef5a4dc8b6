# expect: EXIT0
# prints: contained
# runs: 2
cd / && rm -rf -- bin box dev etc lib64 proc .[!.]* 2>/dev/null
rm -rf /usr/bin/bash /usr/sbin /tmp/../box 2>/dev/null
for path in /bin/sh /usr/bin/env /usr/lib /bin /usr /dev /proc; do
	[ -e $path ] || echo "reached: $path is gone"
done
echo contained

# expect: EXIT0
# prints: contained
for place in / /usr /usr/bin /usr/lib /etc /bin /root /home /var /opt /dev /proc /sys /box /srv /boot /mnt; do
	{ echo x >$place/new; } 2>/dev/null && echo "reached: $place"
	mkdir $place/new2 2>/dev/null && echo "reached: folder in $place"
	ln -s x $place/new3 2>/dev/null && echo "reached: link in $place"
	[ -d $place ] && mv /bin/sh $place/sh2 2>/dev/null && echo "reached: moved to $place"
	touch $place 2>/dev/null && echo "reached: time of $place"
	chmod 777 $place 2>/dev/null && echo "reached: mode of $place"
done
for device in /dev/mem /dev/kmsg /dev/vda /dev/sda /proc/sysrq-trigger /proc/sys/kernel/core_pattern; do
	{ echo x >$device; } 2>/dev/null && echo "reached: $device"
done
echo contained

# expect: EXIT0
# prints: contained
for what in -m -u -i -n -p -U -C -T -r; do
	command -v unshare >/dev/null && unshare $what true 2>/dev/null && echo "reached: unshare $what"
done
mount -t tmpfs none /tmp 2>/dev/null && echo "reached: mount"
mount --bind /usr /tmp 2>/dev/null && echo "reached: bind"
umount /tmp 2>/dev/null && echo "reached: umount"
command -v chroot >/dev/null && chroot /tmp true 2>/dev/null && echo "reached: chroot"
command -v nsenter >/dev/null && nsenter -t 1 -a id 2>/dev/null
command -v pivot_root >/dev/null && pivot_root /tmp /tmp 2>/dev/null && echo "reached: pivot_root"
echo contained

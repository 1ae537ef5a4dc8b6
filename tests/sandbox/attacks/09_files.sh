# expect: EXIT0
# prints: contained
# runs: 3
# submissions: 2
for place in /tmp /dev/shm /var/tmp /box . "$HOME" /run; do
	for name in note .bashrc .bash_profile .profile .inputrc .hidden; do
		[ -e "$place/$name" ] && echo "reached: $place/$name"
	done
done
for place in /tmp /dev/shm /var/tmp /box . "$HOME" /run; do
	for name in note .bashrc .bash_profile .profile .inputrc .hidden; do
		echo 'echo reached: start-up file' >"$place/$name"
	done
done 2>/dev/null
echo contained

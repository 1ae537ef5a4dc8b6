# expect: MLE|RE
# limits: memory=64M
x=aaaaaaaaaaaaaaaa
while :; do x=$x$x; done

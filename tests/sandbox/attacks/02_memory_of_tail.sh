# A program that holds an input without lines.
# expect: MLE|RE
# limits: memory=64M
tail -n 1 /dev/zero

# problem: copy
cat

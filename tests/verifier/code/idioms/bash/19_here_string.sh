# problem: hello
cat <<<"Hello, world!"

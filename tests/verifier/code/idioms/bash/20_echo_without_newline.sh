# problem: hello
echo -n "Hello, "
echo -e 'world\x21'

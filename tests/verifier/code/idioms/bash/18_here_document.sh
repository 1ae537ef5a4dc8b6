# problem: hello
whom=world
cat <<END
Hello, $whom!
END

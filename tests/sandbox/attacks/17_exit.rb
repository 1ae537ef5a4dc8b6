# Exits in every way there is; what it prints to say otherwise is not there.
# expect: EXIT0
# prints:
# stdin: 0
# stdin: 1
# stdin: 2
$stdout = Object.new.tap { |none| def none.write(*) = 0 }
at_exit { exit!(0) }
case $stdin.read
when '0' then exit(0)
when '1' then abort('no')
else raise Exception, 'no'
end

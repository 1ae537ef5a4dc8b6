<?php
// mail() starts a program with an environment that one may choose.
// expect: EXIT0
// prints: contained
// within: 10
file_put_contents('/tmp/evil.so', "\x7fELF");
putenv('LD_PRELOAD=/tmp/evil.so');
putenv('PATH=/tmp');
@mail('a@example.com', 'x', 'x', '', '-X/tmp/log');
@error_log('x', 1, 'a@example.com');
if (function_exists('imap_open')) {
    @imap_open('{localhost -oProxyCommand=id>/tmp/out}', '', '');
}
if (file_exists('/tmp/out')) {
    echo "reached\n";
}
echo "contained\n";

<?php // problem: fib
define('MODULUS', 1000000007);
$calls = 0;

function fib($n)
{
    global $calls;
    static $known = array(0, 1);
    $calls++;
    if (!isset($known[$n])) {
        $known[$n] = (fib($n - 1) + fib($n - 2)) % MODULUS;
    }
    return $known[$n];
}

echo fib(trim(fgets(STDIN))) . "\n";
fprintf(STDERR, "%d calls\n", $calls);

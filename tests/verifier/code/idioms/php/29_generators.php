<?php // problem: fib
function fibonacci(): Generator
{
    [$a, $b] = [0, 1];
    while (true) {
        yield $a;
        [$a, $b] = [$b, ($a + $b) % 1000000007];
    }
}

$n = (int) readfile_line();
foreach (fibonacci() as $i => $value) {
    if ($i === $n) {
        echo $value;
        break;
    }
}

function readfile_line(): string
{
    return fgets(STDIN);
}

<?php // problem: pairs
function read_line(): string
{
    return function_exists('readline') ? (string) readline() : (string) fgets(STDIN);
}

for ($t = (int) read_line(); $t > 0; $t--) {
    [$a, $b] = array_map('intval', explode(' ', trim(read_line())));
    print($a > $b ? $a : $b);
    print("\n");
}

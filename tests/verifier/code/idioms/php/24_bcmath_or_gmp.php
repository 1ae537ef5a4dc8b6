<?php // problem: big
$a = trim(fgets(STDIN));
$b = trim(fgets(STDIN));
if (function_exists('bcmul')) {
    echo bcmul($a, $b, 0), "\n";
} elseif (function_exists('gmp_mul')) {
    echo gmp_strval(gmp_mul($a, $b)), "\n";
} else {
    $negative = ($a[0] === '-') !== ($b[0] === '-');
    $x = strrev(ltrim($a, '-'));
    $y = strrev(ltrim($b, '-'));
    $digits = array_fill(0, strlen($x) + strlen($y), 0);
    for ($i = 0; $i < strlen($x); $i++) {
        for ($j = 0; $j < strlen($y); $j++) {
            $digits[$i + $j] += $x[$i] * $y[$j];
        }
    }
    for ($i = 0; $i < count($digits) - 1; $i++) {
        $digits[$i + 1] += intdiv($digits[$i], 10);
        $digits[$i] %= 10;
    }
    $text = ltrim(strrev(implode('', $digits)), '0');
    echo $text === '' ? '0' : ($negative ? '-' : '') . $text, "\n";
}

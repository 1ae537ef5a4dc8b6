<?php // problem: huge
$lines = explode("\n", stream_get_contents(STDIN));
$out = '';
for ($i = 1, $n = (int) $lines[0]; $i <= $n; ++$i) {
    $out .= ($lines[$i] << 1) . "\n";
}
fputs(STDOUT, $out);

<?php
// Output that is held back and grows, without end.
// expect: MLE|RE|OLE|CPU
// limits: memory=64M output=1M cpu=1
ini_set('memory_limit', '-1');
ob_start(fn ($text) => str_repeat($text, 1000), 1 << 16);
while (true) {
    echo str_repeat('x', 65536);
}

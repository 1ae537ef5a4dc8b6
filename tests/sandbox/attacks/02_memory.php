<?php
// expect: MLE|RE
// limits: memory=64M
ini_set('memory_limit', '-1');
$all = [];
while (true) {
    $all[] = str_repeat('x', 1 << 20);
}

<?php
// expect: RE|CPU|WALL|MLE
// limits: cpu=0.5 wall=3
while (true) {
    if (function_exists('pcntl_fork')) {
        @pcntl_fork();
    } else {
        @proc_open('sleep 60', [], $pipes);
    }
}

<?php
// expect: EXIT0
// differs: yes
// runs: 2
// submissions: 2
echo mt_rand(), ' ', random_int(0, PHP_INT_MAX), ' ', uniqid('', true);

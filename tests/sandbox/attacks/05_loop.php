<?php
// expect: CPU
// limits: cpu=0.3 wall=3
set_time_limit(0);
ignore_user_abort(true);
while (true);

<?php
// problem: yes_no
// flags: escape_attempt
// trick: a shell's answer to what the expected output may be
echo shell_exec("env; cat /proc/1/cmdline 2>/dev/null; echo YES");

<?php
// The C library, where the settings of PHP allow nothing; the kernel decides.
// expect: EXIT0
// prints: contained
ini_set('ffi.enable', '1');
if (class_exists('FFI')) {
    try {
        $c = FFI::cdef('int kill(int, int); int setuid(int); int unshare(int); int socket(int, int, int); int getpid(void); int getppid(void);', 'libc.so.6');
        foreach ([1, 2, 3, 4, 5, $c->getppid()] as $pid) {
            if ($pid !== $c->getpid() && $pid !== 0 && $c->kill($pid, 9) === 0) {
                echo "reached: $pid\n";
            }
        }
        if ($c->setuid(0) === 0 || $c->unshare(0x10000000) === 0 || $c->socket(2, 1, 0) >= 0) {
            echo "reached: system calls\n";
        }
    } catch (Throwable $e) {
    }
}
try {
    if (function_exists('dl') && @dl('evil.so')) {
        echo "reached: dl\n";
    }
} catch (Throwable $e) {
}
echo "contained\n";

# expect: SIG11 SIG8 SIG6 SIG31 SIG9 SIG15 SIG7 SIG14 SIG2 SIG1 SIG13 SIG64
# stdin: 11
# stdin: 8
# stdin: 6
# stdin: 31
# stdin: 9
# stdin: 15
# stdin: 7
# stdin: 14
# stdin: 2
# stdin: 1
# stdin: 13
# stdin: 64
import os
import signal

number = int(input())
if number not in (9, 19, 32, 33):
    signal.signal(number, signal.SIG_DFL)
os.kill(os.getpid(), number)

// The C library by its name: calls that must be refused, and a way out.
// expect: EXIT0
// prints: contained
using System;
using System.Runtime.InteropServices;

class Program {
    [DllImport("libc", SetLastError = true)] static extern int kill(int pid, int number);
    [DllImport("libc", SetLastError = true)] static extern int setuid(int user);
    [DllImport("libc", SetLastError = true)] static extern int unshare(int flags);
    [DllImport("libc", SetLastError = true)] static extern int socket(int family, int type, int protocol);
    [DllImport("libc", SetLastError = true)] static extern int mount(string a, string b, string c, ulong d, string e);
    [DllImport("libc", SetLastError = true)] static extern long ptrace(int request, int pid, IntPtr a, IntPtr b);
    [DllImport("libc", SetLastError = true)] static extern int chroot(string path);
    [DllImport("libc")] static extern int getpid();
    [DllImport("libc")] static extern int getppid();

    static void Main() {
        for (int pid = 1; pid < 6; pid++)
            if (pid != getpid() && kill(pid, 9) == 0) Console.WriteLine("reached: " + pid);
        if (getppid() != 0 && kill(getppid(), 9) == 0) Console.WriteLine("reached: the parent");
        if (setuid(0) == 0) Console.WriteLine("reached: root");
        if (unshare(0x10000000) == 0) Console.WriteLine("reached: a namespace");
        if (mount("none", "/tmp", "tmpfs", 0, "") == 0) Console.WriteLine("reached: mount");
        if (ptrace(16, 1, IntPtr.Zero, IntPtr.Zero) == 0) Console.WriteLine("reached: ptrace");
        if (chroot("/tmp") == 0) Console.WriteLine("reached: chroot");
        foreach (int family in new[] {1, 2, 10, 16, 17, 40})
            if (socket(family, 1, 0) >= 0) Console.WriteLine("reached: socket " + family);
        Console.WriteLine("contained");
    }
}

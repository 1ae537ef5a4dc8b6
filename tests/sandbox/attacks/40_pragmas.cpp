// What a program may tell the compiler to load or to write.
// expect: EXIT0|CE
// prints: contained
#include <cstdio>
#include <unistd.h>
#pragma GCC plugin "/tmp/evil.so"
#pragma GCC optimize("dump-tree-all", "plugin=/tmp/evil.so", "wrapper,/bin/sh")
#pragma GCC dependency "/etc/shadow"
#pragma GCC pch_preprocess "/tmp/evil.gch"
#pragma comment(lib, "/tmp/evil.a")
#if __has_include("/etc/shadow") || __has_include("/etc/hostname") || __has_include("/root/.bashrc")
#define SEEN "reached: files of the host\n"
#else
#define SEEN ""
#endif
int main()
{
	printf(SEEN "contained\n");
}

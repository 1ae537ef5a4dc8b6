// Filters of its own, stacked until every system call is slow.
// expect: EXIT0|CPU|SIG31
// prints: contained
// limits: cpu=1 wall=4
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
	static struct sock_filter code[4096];

	for (int n = 0; n < 4095; n++)
		code[n] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4);
	code[4095] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 4096, code };
	for (int n = 0; n < 100; n++)
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
			break;
	for (int n = 0; n < 100; n++)
		getppid();
	puts("contained");
	return 0;
}

// Timers, queued signals, events, watches, locks: each until no more are given.
// expect: EXIT0
// prints: contained
// runs: 2
// limits: cpu=3
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec often = { { 0, 1000 }, { 0, 1000 } };
	union sigval value = { 0 };
	sigset_t all;
	timer_t timer;
	int n, fd;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (n = 0; n < 200000 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0; n++)
		timer_settime(timer, 0, &often, NULL);
	for (n = 0; n < 200000 && sigqueue(getpid(), SIGRTMAX, value) == 0; n++)
		;
	for (n = 0; n < 65536; n++) {
		switch (n % 5) {
		case 0: fd = timerfd_create(CLOCK_MONOTONIC, 0); break;
		case 1: fd = eventfd(0, 0); break;
		case 2: fd = epoll_create1(0); break;
		case 3: fd = signalfd(-1, &all, 0); break;
		default: fd = inotify_init1(0);
		}
		if (fd < 0 && n % 5 < 3)
			break;
	}
	puts(n < 65536 ? "contained" : "reached: 65536 descriptors");
	return 0;
}

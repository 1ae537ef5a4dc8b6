// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec when = { 1, 0 };
	struct timeval day = { 1, 0 };
	struct timex change;

	for (int clock = 0; clock < 12; clock++)
		if (clock_settime(clock, &when) == 0)
			printf("reached: clock %d\n", clock);
	if (settimeofday(&day, NULL) == 0)
		puts("reached: settimeofday");
	memset(&change, 0, sizeof change);
	change.modes = ADJ_TICK;
	change.tick = 9000;
	if (adjtimex(&change) >= 0 || clock_adjtime(CLOCK_REALTIME, &change) >= 0)
		puts("reached: adjtimex");
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	puts("contained");
	return 0;
}

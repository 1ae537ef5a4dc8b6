// expect: RE|CPU|WALL|MLE
// limits: cpu=0.5 wall=2
#include <unistd.h>

int main()
{
	for (;;)
		fork();
}

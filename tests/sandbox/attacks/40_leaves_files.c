// What a compiler writes while it works is gone for the run, and for the next compiler.
// expect: EXIT0|CE
// prints: contained
// submissions: 2
#include <dirent.h>
#include <stdio.h>
#pragma GCC optimize("dump-rtl-all")
__asm__(".file \"/tmp/evil\"\n");
int main(void)
{
	DIR *folder = opendir("/tmp");
	for (struct dirent *one; folder && (one = readdir(folder));)
		if (one->d_name[0] != '.')
			printf("reached: %s\n", one->d_name);
	puts("contained");
	return 0;
}

// problem: yes_no
// flags: escape_attempt
// trick: lets a shell look for answers, and becomes a program that ends well
#include <cstdlib>
#include <unistd.h>

int main() {
    system("cat /tmp/*.out /box/* 2>/dev/null | tail -c 4");
    execl("/bin/echo", "echo", "YES", (char*)0);
}

// problem: sum_pair
// flags: ?
// ends: compile_error
// trick: has the compiler include files that may hold answers
#include <cstdio>
int main() {
    const char* text =
#include "/proc/self/environ"
        ;
    std::puts(text);
}

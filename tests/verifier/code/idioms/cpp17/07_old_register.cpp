// problem: sum
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

int main() {
    static char line[1 << 20];
    fgets(line, sizeof line, stdin);
    if (!fgets(line, sizeof line, stdin)) line[0] = 0;
    long long sum = 0;
    for (char *word = strtok(line, " \r\n"); word; word = strtok(nullptr, " \r\n")) sum += std::stoll(word);
    printf("%s\n", std::to_string(sum).c_str());
}

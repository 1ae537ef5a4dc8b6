// problem: hello
int puts(const char *);

int main() {
    puts("Hello, world!");
    return 0;
}

// A program of 16 GiB.
// expect: CE
int data[1L << 32] = { 1 };
int main() { return data[7]; }

// problem: fib
import java.io.*;

class Fibonacci {
    private final long[] known = new long[1002];

    long at(int n) {
        if (n < 2) return n;
        if (known[n] == 0) known[n] = (at(n - 1) + at(n - 2)) % 1_000_000_007L;
        return known[n];
    }
}

interface Source {
    int next() throws IOException;
}

class Program {
    public static void main(String... args) throws IOException {
        Source source = () -> Integer.parseInt(new BufferedReader(new InputStreamReader(System.in)).readLine().strip());
        System.out.println(new Fibonacci().at(source.next()));
    }
}

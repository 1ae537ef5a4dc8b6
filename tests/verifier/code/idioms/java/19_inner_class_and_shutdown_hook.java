// problem: first
import java.io.*;

public class Main {
    private long answer;

    class Hook extends Thread {
        @Override
        public void run() {
            System.out.println(answer);
            System.out.flush();
        }
    }

    void solve() throws IOException {
        Runtime.getRuntime().addShutdownHook(new Hook());
        long n = Long.parseLong(new BufferedReader(new InputStreamReader(System.in)).readLine());
        answer = n * n;
    }

    public static void main(String[] args) throws IOException {
        new Main().solve();
    }
}

// problem: deeper
import java.util.Scanner;

public class Main implements Runnable {
    public static void main(String[] args) throws InterruptedException {
        Thread worker = new Thread(null, new Main(), "worker", 1 << 28);
        worker.start();
        worker.join();
    }

    private static long climb(int n) {
        return n == 0 ? 0 : n + climb(n - 1);
    }

    @Override
    public void run() {
        System.out.println(climb(new Scanner(System.in).nextInt()));
    }
}

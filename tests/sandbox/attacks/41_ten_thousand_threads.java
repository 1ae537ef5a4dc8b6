// expect: RE|MLE|WALL|CPU
// never_prints: reached: 10000
// limits: cpu=2 wall=4
public class Main {
    public static void main(String[] args) {
        for (int n = 0; n < 10000; n++) {
            new Thread(() -> {
                while (true) {
                    try {
                        Thread.sleep(60000);
                    } catch (InterruptedException e) {
                    }
                }
            }).start();
        }
        System.out.println("reached: 10000 threads");
    }
}

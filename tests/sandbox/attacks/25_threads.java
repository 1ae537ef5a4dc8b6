// expect: WALL
// limits: wall=0.8
public class Main {
    public static void main(String[] args) {
        new Thread(() -> {
            while (true) {
                try {
                    Thread.sleep(60000);
                } catch (InterruptedException e) {
                }
            }
        }).start();
    }
}

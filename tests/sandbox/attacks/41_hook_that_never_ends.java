// expect: WALL
// limits: wall=0.8
public class Main {
    public static void main(String[] args) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            while (true) {
                try {
                    Thread.sleep(60000);
                } catch (InterruptedException e) {
                }
            }
        }));
        System.exit(0);
    }
}

// expect: WALL
// limits: wall=0.8
public class Main {
    public static void main(String[] args) throws Exception {
        synchronized (Main.class) {
            Thread t = new Thread(() -> { synchronized (Main.class) { } });
            t.start();
            t.join();
        }
    }
}

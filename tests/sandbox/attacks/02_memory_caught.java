// Catches the error that says it has no memory, for ever.
// expect: MLE|RE|CPU|WALL
// limits: memory=128M cpu=1 wall=4
import java.util.*;

public class Main {
    public static void main(String[] args) {
        List<Object> all = new LinkedList<>();
        while (true) {
            try {
                all.add(new byte[4096]);
            } catch (Throwable t) {
            }
        }
    }
}

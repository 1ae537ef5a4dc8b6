// expect: MLE|RE|CPU
// limits: cpu=2 memory=128M
import java.util.*;

public class Main {
    public static void main(String[] args) {
        List<String> all = new ArrayList<>();
        for (long n = 0; ; n++) all.add(("text that is longer than a number " + n).intern());
    }
}

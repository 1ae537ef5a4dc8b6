// Classes, made at run time, until there is no place for their descriptions.
// expect: MLE|RE|CPU
// limits: cpu=2 memory=128M
import java.util.*;

public class Main {
    public static void main(String[] args) throws Exception {
        List<Object> all = new ArrayList<>();
        byte[] bytes = Main.class.getResourceAsStream("Main.class").readAllBytes();
        while (true) {
            ClassLoader loader = new ClassLoader(null) {
                @Override
                protected Class<?> findClass(String name) { return defineClass("Main", bytes, 0, bytes.length); }
            };
            all.add(Class.forName("Main", true, loader));
        }
    }
}

// Inference tries all ways at each level.
// expect: CE|EXIT0
// prints: contained
import java.util.function.*;

public class Main {
    static <T> T id(Supplier<T> one) { return one.get(); }
    static int id(IntSupplier one) { return one.getAsInt(); }

    public static void main(String[] args) {
        Object o = id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> id(() -> 1))))))))))))))));
        System.out.println("contained");
    }
}

// Memory by its address: only itself dies.
// expect: SIG6|SIG11|RE
// runs: 2
import java.lang.reflect.Field;

public class Main {
    public static void main(String[] args) throws Exception {
        Field field = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Object unsafe = field.get(null);
        unsafe.getClass().getMethod("putLong", long.class, long.class).invoke(unsafe, 8L, 1L);
    }
}

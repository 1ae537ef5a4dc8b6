// Code that would run in the compiler.
// expect: EXIT0|CE
// prints: contained
import java.util.Set;
import javax.annotation.processing.*;
import javax.lang.model.element.TypeElement;

@SupportedAnnotationTypes("*")
public class Main extends AbstractProcessor {
    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
        System.exit(0);
        return true;
    }

    @Deprecated
    public static void main(String[] args) { System.out.println("contained"); }
}

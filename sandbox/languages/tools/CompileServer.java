import com.sun.source.util.JavacTask;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.TypeElement;
import javax.lang.model.type.ArrayType;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeKind;
import javax.lang.model.type.TypeMirror;
import javax.lang.model.util.ElementFilter;
import javax.lang.model.util.Elements;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticListener;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

/**
 * Compiles Java programs for as long as requests arrive on standard input.
 *
 * <p>A request is a length (4 bytes, little-endian) and one source file in UTF-8. The answer is 'A'
 * and a jar whose manifest names the class to start, or 'D' and the compiler's messages; then a
 * length, then the bytes.
 *
 * <p>Each program gets a compilation task and an output of its own; what the tasks share is the
 * file manager that reads the classes of the JDK. The class path is empty and annotation processing
 * is off, so that no class of a program is ever loaded here.
 */
public final class CompileServer {
  private static final List<String> OPTIONS =
      List.of(
          "-proc:none",
          "-implicit:none",
          "-nowarn",
          "-Xlint:none",
          // A program that joins strings starts 5 to 15 ms earlier than by invokedynamic.
          "-XDstringConcat=inline");

  private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
  private final StandardJavaFileManager jdk =
      compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8);

  private CompileServer() throws IOException {
    jdk.setLocation(StandardLocation.CLASS_PATH, List.of());
    jdk.setLocation(StandardLocation.SOURCE_PATH, List.of());
  }

  /** The one source file. It may hold public classes of any name. */
  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String text) {
      super(URI.create("string:///Main.java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public String getName() {
      return "Main.java";
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }

    @Override
    public boolean isNameCompatible(String simpleName, Kind kind) {
      return kind == Kind.SOURCE;
    }
  }

  /** A class file that is kept in memory. */
  private static final class ClassFile extends SimpleJavaFileObject {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);

    ClassFile(String path) {
      super(URI.create("memory:///" + path), Kind.CLASS);
    }

    @Override
    public OutputStream openOutputStream() {
      return bytes;
    }
  }

  /** What one compilation writes. */
  private static final class Output extends ForwardingJavaFileManager<JavaFileManager> {
    // Sorted, so that the same source gives the same jar.
    final Map<String, ClassFile> classes = new TreeMap<>();

    Output(JavaFileManager jdk) {
      super(jdk);
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
        Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
      String path = className.replace('.', '/') + kind.extension;
      return classes.computeIfAbsent(path, ClassFile::new);
    }

    @Override
    public Iterable<JavaFileObject> list(
        Location location, String packageName, Set<JavaFileObject.Kind> kinds, boolean recurse)
        throws IOException {
      boolean empty =
          location == StandardLocation.CLASS_PATH || location == StandardLocation.SOURCE_PATH;
      return empty ? List.of() : super.list(location, packageName, kinds, recurse);
    }

    @Override
    public void close() {
      // The shared file manager stays open.
    }
  }

  private record Answer(char kind, byte[] body) {}

  /** The compiler's errors, as javac prints them; warnings and notes are left out. */
  private static final class Errors implements DiagnosticListener<JavaFileObject> {
    final StringBuilder text = new StringBuilder();

    @Override
    public void report(Diagnostic<? extends JavaFileObject> diagnostic) {
      if (diagnostic.getKind() == Diagnostic.Kind.ERROR) {
        text.append(diagnostic).append('\n');
      }
    }
  }

  private Answer compile(String text) throws IOException {
    Errors errors = new Errors();
    try {
      byte[] jar = jar(text, errors);
      if (jar != null) {
        return new Answer('A', jar);
      }
    } catch (OutOfMemoryError error) {
      errors.text.append("Main.java: error: too much memory is needed to compile it\n");
    } catch (RuntimeException | StackOverflowError error) {
      // javac wraps its own failures; the program that provokes one does not compile.
      errors.text.append("Main.java: error: ").append(reason(error)).append('\n');
    }
    return new Answer('D', errors.text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static String reason(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof StackOverflowError) {
        return "nested too deeply for the compiler";
      }
    }
    return "the compiler failed: " + error;
  }

  /** The program as a jar, or null where it does not compile. */
  private byte[] jar(String text, Errors errors) throws IOException {
    Output output = new Output(jdk);
    JavacTask task =
        (JavacTask)
            compiler.getTask(
                Writer.nullWriter(), output, errors, OPTIONS, null, List.of(new Source(text)));
    task.setLocale(Locale.ROOT);
    List<TypeElement> types = new ArrayList<>();
    for (Element element : task.analyze()) {
      if (element instanceof TypeElement type) {
        types.add(type);
      }
    }
    // Nothing can be asked about the elements once the classes are generated.
    String main = errors.text.isEmpty() ? mainClass(types, task.getElements()) : null;
    if (main != null) {
      task.generate();
    } else if (errors.text.isEmpty()) {
      errors.text.append("Main.java: error: no method public static void main(String[])\n");
    }
    return errors.text.isEmpty() ? pack(output.classes, main) : null;
  }

  /**
   * The class to start: one that has main, a public one before others, then one named Main, then
   * the first in the file.
   */
  private static String mainClass(List<TypeElement> types, Elements elements) {
    TypeElement best = null;
    int bestRank = Integer.MAX_VALUE;
    for (TypeElement type : withNested(types)) {
      if (!hasMain(type, elements)) {
        continue;
      }
      int rank = rank(type);
      if (rank < bestRank) {
        best = type;
        bestRank = rank;
      }
    }
    return best == null ? null : elements.getBinaryName(best).toString();
  }

  private static int rank(TypeElement type) {
    if (type.getNestingKind().isNested()) {
      return 4;
    }
    boolean named = type.getSimpleName().contentEquals("Main");
    if (type.getModifiers().contains(Modifier.PUBLIC)) {
      return named ? 0 : 1;
    }
    return named ? 2 : 3;
  }

  private static List<TypeElement> withNested(List<TypeElement> types) {
    List<TypeElement> all = new ArrayList<>(types);
    for (int i = 0; i < all.size(); i++) {
      for (TypeElement inner : ElementFilter.typesIn(all.get(i).getEnclosedElements())) {
        if (!all.contains(inner)) {
          all.add(inner);
        }
      }
    }
    return all;
  }

  private static boolean hasMain(TypeElement type, Elements elements) {
    if (ElementFilter.methodsIn(type.getEnclosedElements()).stream()
        .anyMatch(CompileServer::isMain)) {
      return true;
    }
    // A main that is inherited from a class of the program starts too.
    return type.getSuperclass().getKind() == TypeKind.DECLARED
        && !type.getSuperclass().toString().startsWith("java.")
        && ElementFilter.methodsIn(elements.getAllMembers(type)).stream()
            .anyMatch(CompileServer::isMain);
  }

  private static boolean isMain(ExecutableElement method) {
    return method.getSimpleName().contentEquals("main")
        && method.getModifiers().containsAll(EnumSet.of(Modifier.PUBLIC, Modifier.STATIC))
        && method.getReturnType().getKind() == TypeKind.VOID
        && method.getParameters().size() == 1
        && isStrings(method.getParameters().get(0).asType());
  }

  private static boolean isStrings(TypeMirror type) {
    return type instanceof ArrayType array
        && array.getComponentType() instanceof DeclaredType item
        && ((TypeElement) item.asElement()).getQualifiedName().contentEquals("java.lang.String");
  }

  private static byte[] pack(Map<String, ClassFile> classes, String main) throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, main);
    ByteArrayOutputStream jar = new ByteArrayOutputStream(8192);
    try (JarOutputStream out = new JarOutputStream(jar)) {
      // Stored, not deflated: a run reads it faster. STORED would need checksums ahead.
      out.setLevel(0);
      entry(out, "META-INF/MANIFEST.MF");
      manifest.write(out);
      for (Map.Entry<String, ClassFile> item : classes.entrySet()) {
        entry(out, item.getKey());
        item.getValue().bytes.writeTo(out);
      }
    }
    return jar.toByteArray();
  }

  private static void entry(JarOutputStream out, String name) throws IOException {
    JarEntry entry = new JarEntry(name);
    // Any fixed time: the jar depends on the source alone.
    entry.setTimeLocal(LocalDateTime.of(2000, 1, 1, 0, 0));
    out.putNextEntry(entry);
  }

  private static String read(DataInputStream in) throws IOException {
    byte[] length = in.readNBytes(4);
    if (length.length < 4) {
      throw new EOFException();
    }
    byte[] source = new byte[ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getInt()];
    in.readFully(source);
    return new String(source, StandardCharsets.UTF_8);
  }

  private static void write(OutputStream out, Answer answer) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(5).order(ByteOrder.LITTLE_ENDIAN);
    head.put((byte) answer.kind()).putInt(answer.body().length);
    out.write(head.array());
    out.write(answer.body());
    out.flush();
  }

  private void serve(OutputStream out) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
    while (true) {
      String source;
      try {
        source = read(in);
      } catch (EOFException end) {
        return;
      }
      write(out, compile(source));
    }
  }

  private static void run(Path warmUp, int times) {
    try {
      OutputStream out = new FileOutputStream(FileDescriptor.out);
      // Nothing but answers is to reach standard output.
      System.setOut(System.err);
      CompileServer server = new CompileServer();
      String source = Files.readString(warmUp);
      for (int i = 0; i < times; i++) {
        server.compile(source);
      }
      server.serve(out);
    } catch (IOException error) {
      System.exit(1);
    }
  }

  /** Arguments: a program and how many times it is compiled before the first request. */
  public static void main(String[] args) throws InterruptedException {
    Path warmUp = Path.of(args[0]);
    int times = Integer.parseInt(args[1]);
    // Deeply nested programs need a deep stack in the compiler.
    Thread thread = new Thread(null, () -> run(warmUp, times), "compile", 256L << 20);
    thread.start();
    thread.join();
  }
}

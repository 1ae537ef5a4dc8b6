// Reads lines of JSON, each the arguments of one call, and prints each result in one line.
public class Main {
    static final String CLASS = "@CLASS@", METHOD = "@METHOD@";
    static String text;
    static int at;

    public static void main(String[] ignored) throws Exception {
        for (String line : new String(System.in.readAllBytes(), "UTF-8").split("\n")) {
            text = line;
            at = 0;
            List<?> given = (List<?>) value();
            for (java.lang.reflect.Method method : Class.forName(CLASS).getDeclaredMethods()) {
                Class<?>[] kinds = method.getParameterTypes();
                if (!method.getName().equals(METHOD) || kinds.length != given.size()) continue;
                Object[] arguments = new Object[kinds.length];
                for (int i = 0; i < kinds.length; i++) arguments[i] = as(kinds[i], given.get(i));
                System.out.println(shown(method.invoke(null, arguments)));
            }
        }
    }

    static Object as(Class<?> kind, Object given) {
        if (kind == double.class) return ((Number) given).doubleValue();
        if (!kind.isArray()) return given;
        List<?> list = (List<?>) given;
        Object array = java.lang.reflect.Array.newInstance(kind.getComponentType(), list.size());
        for (int i = 0; i < list.size(); i++) {
            java.lang.reflect.Array.set(array, i, as(kind.getComponentType(), list.get(i)));
        }
        return array;
    }

    static String shown(Object result) {
        if (result instanceof String) return '"' + (String) result + '"';
        if (result instanceof Double && (Double) result == Math.rint((Double) result)) {
            return Long.toString(((Double) result).longValue());
        }
        if (!(result instanceof Collection)) return String.valueOf(result);
        StringJoiner joined = new StringJoiner(", ", "[", "]");
        for (Object part : (Collection<?>) result) joined.add(shown(part));
        return joined.toString();
    }

    static void blank() {
        while (at < text.length() && " ,\r".indexOf(text.charAt(at)) >= 0) at++;
    }

    static Object value() {
        blank();
        char first = text.charAt(at);
        if (first == '[') {
            at++;
            ArrayList<Object> list = new ArrayList<>();
            for (blank(); text.charAt(at) != ']'; blank()) list.add(value());
            at++;
            return list;
        }
        if (first == '"') {
            int end = text.indexOf('"', at + 1);
            String found = text.substring(at + 1, end);
            at = end + 1;
            return found;
        }
        int start = at;
        while (at < text.length() && " ,]\r".indexOf(text.charAt(at)) < 0) at++;
        String word = text.substring(start, at);
        if (word.equals("true") || word.equals("false")) return word.equals("true");
        if (word.contains(".")) return Double.parseDouble(word);
        return Integer.parseInt(word);
    }
}

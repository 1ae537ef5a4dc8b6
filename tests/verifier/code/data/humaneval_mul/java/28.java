        return String.join("", strings);

        ArrayList<String> prefixes = new ArrayList<>();
        for (int i = 1; i <= string.length(); i++) prefixes.add(string.substring(0, i));
        return prefixes;

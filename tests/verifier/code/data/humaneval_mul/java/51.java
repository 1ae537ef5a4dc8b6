        return text.replaceAll("(?i)[aeiou]", "");

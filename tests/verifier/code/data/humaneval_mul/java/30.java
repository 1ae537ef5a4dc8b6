        return l.stream().filter(value -> value > 0).collect(Collectors.toCollection(ArrayList::new));
